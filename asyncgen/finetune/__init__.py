"""Finetuning: a model trained on a run's dataset, on this machine or by a service.

:func:`asyncgen.finetune.local.tune` and :func:`asyncgen.finetune.hosted.tune_hosted` are the
whole of it for programs: frozen settings in, a frozen result out.
"""
