"""The process that owns a device: weights in, frames out. The only part of the house that knows torch."""
