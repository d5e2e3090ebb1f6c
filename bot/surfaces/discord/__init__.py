"""Discord, spoken with discord.py 2.7: slash commands, cards in its newer components, one gateway link a shard.

    surface.py     the contract of port.py, and the life of the links
    gateway.py     the client that listens, started again for ever
    menu.py        the commands of bot/menu.py as Discord registers them
    desk.py        what people do, taken to the commands and answers
    callers.py     who asks, where, and by which ways a card can be edited there
    ways.py        which way to a card is open, and where it goes when none is
    rest.py        the requests themselves; troubles.py their errors as the five of port.py
    drawing.py     a card as components; escaping.py the words of people in it

Nothing is imported here: whoever has no Discord does not load discord.py.
"""
