"""Telegram: a surface like the others, on the Bot API.

surface    TelegramSurface: the contract of port.py, and what runs
hearing    what an update asks for, handed to the commands and the answers
moderating what moderators type, and what members type to them
members    whom and what a command means besides its words
saying     what is said to somebody, here or where nobody else reads along
inbox      updates are stored, then confirmed, and handled from the store, each once
polling    updates that we ask for                webhook    updates that are sent to us
callers    who speaks in an update, and where
questions  which message asks for which prompt
places     chats that have moved, and chats that have put us out
wire       the Bot API over python-telegram-bot, its errors spoken as the port's five
pace       how much a chat is spoken to (pure)
drawing    a card as Telegram's HTML and its keyboard (pure)

python-telegram-bot is imported with `surface`, which app.py does only where Telegram is on.
"""
