"""A master becomes the file that fits one address: GIF, MP4 or WebP below a limit in bytes.

marks      what every file says about itself: AI-generated, by which model (pure)
label      the corner mark of labelled clips, as boxes (pure)
ladder     which sizes, rates and qualities to try, best first (pure)
ffmpeg     one encode in a child process
cache      Renditions: the cache by clip, format and limit; one encode at a time
bound      which files of the cache go when it holds too many bytes
errors     what can go wrong, each with a sentence
"""

from bot.renditions.cache import Renditions
from bot.renditions.errors import EncodeFailed, MasterGone, NoRoom, RenditionError, Unfit, UnknownFormat

__all__ = ["EncodeFailed", "MasterGone", "NoRoom", "RenditionError", "Renditions", "Unfit", "UnknownFormat"]
