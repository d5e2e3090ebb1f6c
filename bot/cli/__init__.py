"""What the `zoetrope` command does, one file a command; `bot/__main__.py` reads the arguments and calls it.

output    lines on standard output, and what happens when nobody can read them
targets   where the files of `zoetrope video` go (pure)
"""
