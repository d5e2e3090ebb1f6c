"""Discord, spoken with discord.py 2.7: slash commands, cards in its newer components, one gateway link a shard.

    surface.py     the contract of port.py, and the life of the links
    gateway.py     the client that listens, started again for ever
    slash.py       the commands of bot/menu.py as Discord registers them
    receiving.py   the first sign that every interaction wants
    desk.py        what people do, taken to the commands and answers
    answering.py   the commands whose answer is a card for the caller alone; enclosing.py what goes with some of them
    windows.py     where something is written; buttons.py what is pressed
    callers.py     who asks and where, as an interaction tells it; membership.py the same of those who do nothing
    ways.py        which way to a card is open, and where it goes when none is
    rest.py        the requests themselves; troubles.py their errors as the five of port.py
    drawing.py     a card as components; escaping.py the words of people in it

Nothing is imported here: whoever has no Discord does not load discord.py.
"""
