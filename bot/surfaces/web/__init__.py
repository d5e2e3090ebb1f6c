"""The web page: a surface like the chats, whose message store is the room in our own database.

surface     WebSurface: the contract of port.py on top of the room's table
site        the routes put together, and the room's page
desk        what is typed and pressed, handed to the commands and the answers
feed        what changed in the room, remembered once for every open page
listening   the streams of events to open pages
files       clips, previews and the page's own files
guard       Host, Origin and security headers, around everything
door        the sign-in page, and what keeps others before it
password    the password's hash, and how often it may be tried
browsers    each browser is an asker: signed cookies, token against forged posts
callers     who is at the browser, and which language they read
pages       the templates and what all of them need
forms       what a browser posts, checked
drawing     a message as the page's JSON
server      the socket and uvicorn
"""

from bot.surfaces.web.surface import WebSurface

__all__ = ["WebSurface"]
