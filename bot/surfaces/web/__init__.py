"""The web page: a surface like the chats, whose message store is the room in our own database.

surface     WebSurface: the contract of port.py on top of the room's table
feed        what changed in the room, told to every open page
site        the routes: page, requests, presses, events, clips, previews
guard       Host, Origin and security headers, around everything
browsers    each browser is an asker: signed cookie, token against forged posts
forms       what a browser posts, checked
drawing     a message as the page's JSON
server      the socket and uvicorn
"""

from bot.surfaces.web.surface import WebSurface

__all__ = ["WebSurface"]
