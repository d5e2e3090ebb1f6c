"""`zoetrope doctor`: everything Zoetrope needs, looked at one thing after the other; each says what to do.

    examining.py        the order, and the exit status
    machine.py          this machine
    discord.py          Discord's side; discord_channel.py one channel there
    telegram.py         Telegram's side

Nothing is changed by looking, neither here nor on a platform, and no token is ever said.
"""

from bot.doctor.examining import Chats, examine

__all__ = ["Chats", "examine"]
