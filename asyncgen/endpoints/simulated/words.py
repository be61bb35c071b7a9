"""The vocabulary that simulated tasks are made of: our own words, data only."""

from __future__ import annotations

__all__ = ["SLOTS"]


def _split(text: str) -> tuple[str, ...]:
    """Split entries at commas; line breaks are for the reader."""
    return tuple(" ".join(part.split()) for part in text.split(",") if part.strip())


_THINGS = _split("""
    lantern, violin, compass, greenhouse, ferry timetable, sourdough starter, library card,
    kettle, windmill, bicycle pump, chess clock, tide table, beehive, quilt, microscope, postage
    stamp, telescope, raincoat, ladder, typewriter, pocket knife, garden hose, snow shovel, wool
    blanket, fountain pen, hiking boot, piano stool, wooden spoon, parachute, sundial, hammock,
    accordion, thermometer, harbour crane, pepper mill, doorbell, candle mould, rowing boat,
    trampoline, kite, cheese grater, metronome, lawn mower, mosquito net, sewing machine, paper
    lantern, ice skate, recipe book, passport, umbrella stand, water filter, loom, oil lamp,
    footbridge, tractor, anvil, crossword, ballot box, lighthouse, birdhouse, drumstick, coffee
    roaster, saddle, wheelbarrow, bus ticket, aquarium, rope swing, tent peg, glacier, orchard,
    vineyard, coral reef, peat bog, earthquake drill, solar eclipse, monsoon, river delta,
    hailstorm, meadow, volcano, sand dune, hedgehog, octopus, barn owl, honey badger,
    cuttlefish, reindeer, salamander, swallow, sparrow, moth trap, beetle, tortoise, kingfisher,
    dragonfly, mackerel, otter, heron, wolf pack, magpie, apprenticeship, mortgage, pension,
    election, treaty, census, strike, tax return, lottery, auction, warranty, lease, dowry,
    patent, subscription, insurance claim, parking fine, refund, timesheet, spreadsheet,
    database index, password, firewall, search engine, checksum, compiler, spam filter,
    satellite, barcode, podcast, newsletter, chatbot, keyboard shortcut, backup plan, origami
    crane, marathon, relay race, penalty kick, yoga pose, fencing match, carnival, puppet, folk
    dance, string quartet, opera libretto, silent film, ghost story, nursery rhyme, proverb,
    riddle, haiku, epitaph, wedding toast, lullaby, alibi, rumour, grudge, apology, nickname,
    daydream, promise, habit, superstition, blind spot, deadline, detour, curfew, headcount,
    dumpling, marmalade, lentil soup, pickled cabbage, rye loaf, omelette, ginger tea, blue
    cheese, apple cider, flatbread, saffron, chestnut, olive oil, sardine, fennel, buckwheat,
    custard tart, vaccine, stethoscope, sleep diary, hearing aid, plaster cast, allergy,
    migraine, heartbeat, blood donation, toothbrush, first-aid kit, fever, physiotherapy, eye
    test, flu season, antibiotic, abacus, prime number, right angle, fraction, average,
    probability, tangent, square root, ratio
""")

_QUALITIES = _split("""
    abandoned, affordable, ancient, annual, anonymous, awkward, borrowed, bilingual, broken,
    brittle, cautious, ceremonial, cheerful, chilly, clumsy, coastal, colourful, compact,
    controversial, costly, crowded, curious, damp, delayed, delicate, diligent, disputed,
    donated, drafty, dusty, eccentric, edible, electric, elegant, emergency, enormous,
    experimental, exported, faded, faithful, famous, fashionable, fictional, floating, foggy,
    folding, forgotten, fragile, frozen, generous, gloomy, half-finished, handmade, harmless,
    haunted, heated, heavy, hidden, historic, homemade, honest, hurried, identical, illegal,
    imported, improvised, inherited, invisible, jealous, joyful, lazy, leaking, legendary,
    lightweight, local, lonely, lopsided, lucky, magnetic, marvellous, medieval, mild,
    misplaced, modest, modern, mossy, muddy, municipal, mysterious, narrow, neglected, noisy,
    nocturnal, nostalgic, old-fashioned, organic, outdated, painted, patient, peculiar,
    portable, practical, precious, prize-winning, quiet, rare, recycled, reluctant, remote,
    rented, restored, rusty, salty, seasonal, second-hand, secret, shared, shiny, silent,
    sleepy, slippery, smoky, solar-powered, spare, spicy, spotless, stolen, stubborn, sturdy,
    sunny, suspicious, temporary, tidy, tiny, traditional, transparent, tropical, unexpected,
    unfinished, unlucky, unpopular, vanishing, vegetarian, vintage, volunteer-run, waterproof,
    weathered, wild, wireless, witty, wobbly
""")

_PEOPLE = _split("""
    an apprentice baker, a beekeeper, a night nurse, a tram driver, a retired judge, a new
    parent, a chess coach, a park ranger, a museum guide, a shy teenager, a choir leader, a
    wedding planner, a marine biologist, a rookie reporter, a village mayor, a stage magician, a
    locksmith, a potter, a school librarian, a lifeguard, a tax adviser, a puppet maker, a
    street musician, a bookbinder, an air traffic controller, a foster carer, a goat farmer, a
    hospital porter, a tour operator, a sign-language interpreter, a violin maker, a crane
    operator, an exchange student, a sculptor, a glaciologist, a sommelier, a vet, a lighthouse
    keeper, a paramedic, a competitive swimmer, an amateur astronomer, a landlord, a first-time
    voter, a train conductor, a sports commentator, a bored sentry, a cartographer, a dentist, a
    fishmonger, a ghostwriter, a gardener, a hotel clerk, an impatient customer, a jury member,
    a kindergarten teacher, a lorry driver, a mountaineer, a newspaper editor, an orchestra
    conductor, a pharmacist, a quiz host, a refugee, a rock climber, a ship's cook, a software
    tester, a stamp collector, a theatre critic, a translator, a plumber, an umpire, a volunteer
    firefighter, a weaver, a weather presenter, a widower, a window cleaner, a wrestler, a youth
    worker, a zookeeper, a backpacker, a butcher, a caretaker, a dance teacher, an economist, a
    florist, a geologist, a historian, an insurance broker, a jeweller, a kayak guide, a
    logistics manager, a midwife, a neighbour abroad, an optician, a piano tuner, a pilot, a
    poet, a recruit, a sceptical aunt, a shepherd, a tailor, a union delegate, a veteran
    goalkeeper
""")

_PLACES = _split("""
    in a mountain village, on a night train, at a farmers' market, in a shared kitchen, under a
    bridge, at a border crossing, on a fishing boat, in a waiting room, behind the town hall, in
    zero gravity, during a power cut, after a school reunion, before the harvest, at low tide,
    in early spring, on the longest night of the year, in a desert town, at a ski lodge, beside
    a canal, in a lift, on an oil rig, in a monastery garden, at a bus depot, inside an old
    theatre, near the airport, across two time zones, in a flooded basement, on the top floor,
    at the edge of a forest, at sea, in a call centre, during rush hour, on a windy island, in a
    rented flat, at a trade fair, in a research station, after closing time, on a school trip,
    in the attic, at a petrol station, during a heat wave, in a courtroom, at a charity run, in
    a small bakery, on a rooftop, at the start of the holidays, in a laundrette, on a film set,
    in the nineteenth century, on a Monday morning, at a harbour festival, in a greenhouse, in a
    hospital ward, on a bare stage, at a village wedding, between two exams, in the back of a
    taxi, on a crowded beach, in a cave, at a chess tournament, along a pilgrim route, in a
    space station, after a long drought, in a neighbourhood forum, in a warehouse, on an
    allotment, at a football stadium, in a submarine, during the first snow, in a print shop, at
    a travel agency, in a quiet suburb, on a canal boat, in a repair café, at a zoo, on a
    glacier, in a kindergarten, at an observatory, in a sauna, during an orchestra rehearsal, in
    a youth hostel, at a police station, on a bicycle tour, in a cable car, at a polling
    station, in a sculpture park, on a cattle ranch, in a chemistry lab
""")

_ASPECTS = _split("""
    cost, durability, smell, weight, origin, safety, noise, legal status, shelf life,
    popularity, maintenance, colour, repair history, environmental impact, resale value,
    symbolism, taste, accessibility, energy use, insurance, cleaning, training needs, cultural
    meaning, storage, etymology, supply, side effects, spelling, ownership, comfort,
    reliability, history, texture, fairness, availability, portion size, punctuality, privacy,
    seasonality, temperature, tipping, transport, waste, waiting time, workmanship,
    pronunciation, balance, rhythm, risk, novelty, efficiency, patience, friction, humour,
    loyalty, evidence, precision, scale, silence, trust
""")

_FORMS = _split("""
    a limerick, a thank-you note, a short fable, a radio advertisement, a diary entry, a job
    posting, a letter of complaint, a eulogy, a product description, a menu entry, a monologue,
    a press notice, a dialogue, a packing list, a set of house rules, a telegram, a sonnet, a
    museum label, a toast, a bedtime story, an obituary, a riddle, a weather report, a
    horoscope, an acrostic, a postcard, a quiz question, a meeting agenda, a crossword clue, a
    slogan, a cover letter, a recipe, a blurb, a farewell speech, a lost-and-found notice, a
    tongue twister, a book review, a court statement, an advice column, a classified advert, a
    street interview, a voicemail, a safety briefing, a pun
""")

_LIMITS = _split("""
    in two sentences, in under fifty words, without adjectives, using plain words, as a numbered
    list, in the past tense, with a question at the end, in exactly three lines, as bullet
    points, with one concrete example, from memory, in a formal tone, with dry humour, without
    naming it, in the second person, step by step, for ten-year-olds, in a whisper, with a
    surprising turn, with no word longer than seven letters, in rhyming couplets, with a short
    title, backwards in time, as a table, with two counterarguments, as briefly as possible, in
    the present tense, politely, with a metaphor from cooking, in the voice of a sailor, with a
    date and a place, as one paragraph, starting with a sound, ending in doubt, without
    exclamation marks, with exact numbers, in dialect, as if it were urgent, with a moral,
    avoiding jargon, in chronological order, with three synonyms
""")

_TEXTS = _split("""
    review, email, field note, recipe, interview answer, headline, log entry, speech excerpt,
    advert, diary page, weather bulletin, support ticket, lab report, poem, contract clause, job
    application, travel blog, meeting summary, news brief, joke, street sign, survey reply,
    voicemail transcript, court ruling, product label, forum post, love letter, match report,
    invoice remark, school essay, user manual, obituary, horoscope, chat message, police
    statement, film synopsis, tweet, lecture note
""")

_EDITS = _split("""
    shorten, paraphrase, proofread, summarise, translate into Spanish, simplify, expand,
    modernise, turn into reported speech, rewrite as a headline, make gender-neutral, put into
    the passive voice, punctuate, convert to bullet points, soften, censor the names in, add a
    closing line to, outline, rewrite in the first person, set in the future, strip the filler
    words from, retitle, annotate, translate into French, reorder the sentences of, condense to
    keywords, turn into a question, render in plain English, make more persuasive, put into
    American spelling, extract the verbs from, list the nouns in, find the main claim of, count
    the sentences in, quote the key phrase of
""")

_VERBS = _split("""
    explain, describe, justify, estimate, outline, compare, criticise, defend, imagine, plan,
    predict, question, recommend, sketch, analyse, recall, design, invent, praise, rank,
    investigate, dispute, narrate, evaluate, demonstrate, brainstorm, interpret, trace,
    challenge, clarify
""")

_LABELS = _split("""
    urgent, routine, formal, informal, cheerful, gloomy, literal, figurative, reliable,
    doubtful, sincere, ironic, rural, urban, edible, poisonous, public, private, beginner,
    expert, fact, opinion, risky, harmless, indoor, outdoor, cheap, expensive, warm, cold,
    fresh, stale, polite, rude, ancient, recent, plausible, absurd, complete, incomplete,
    active, passive, domestic, foreign, mild, severe, comic, tragic, serious, playful, legal,
    illegal, manual, automatic, solid, liquid, quiet, noisy, concrete, abstract, relevant,
    irrelevant, balanced, biased, seasonal, permanent, simple, complex
""")

SLOTS: dict[str, tuple[str, ...]] = {
    "thing": _THINGS,
    "quality": _QUALITIES,
    "person": _PEOPLE,
    "place": _PLACES,
    "aspect": _ASPECTS,
    "form": _FORMS,
    "limit": _LIMITS,
    "text": _TEXTS,
    "edit": _EDITS,
    "verb": _VERBS,
    "label": _LABELS,
}
"""Slot name to what can stand in it."""
