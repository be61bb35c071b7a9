"""The world outside, behind one seam: :class:`asyncgen.endpoints.base.Endpoint`."""
