"""The ladder: a table of cases."""

import pytest

from bot.renditions.ladder import FORMATS, Picture, next_rung, rungs, whole_factor


@pytest.mark.parametrize(
    ("side", "factor"),
    [(8, 32), (16, 16), (32, 8), (40, 7), (48, 6), (64, 4), (100, 3), (128, 2), (192, 2), (193, 1), (256, 1), (512, 1)],
)
def test_small_sides_are_enlarged_to_between_256_and_384(side: int, factor: int) -> None:
    assert whole_factor(side) == factor


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("picture", [Picture(32, 32, 8, True), Picture(256, 256, 16, False), Picture(33, 17, 1, True)])
def test_every_rung_is_expected_to_be_no_larger_than_the_one_before(kind: str, picture: Picture) -> None:
    shares = [rung.share for rung in rungs(picture, kind)]
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("picture", [Picture(33, 17, 8, True), Picture(85, 85, 8, True), Picture(333, 201, 8, False)])
def test_sides_of_an_mp4_are_even_on_every_rung(picture: Picture) -> None:
    assert all(rung.width % 2 == rung.height % 2 == 0 for rung in rungs(picture, "mp4"))


def test_crisp_pictures_shrink_by_whole_factors_first() -> None:
    widths = [rung.width for rung in rungs(Picture(64, 64, 8, True), "gif")]
    assert list(dict.fromkeys(widths)) == [256, 192, 128, 64, 48, 32]


def test_quality_goes_before_frame_rate_and_frame_rate_before_size() -> None:
    ladder = list(rungs(Picture(256, 256, 16, False), "gif"))
    seen = [(rung.quality, rung.every, rung.width) for rung in ladder]
    assert seen[:6] == [
        (256, 1, 256),
        (128, 1, 256),
        (64, 1, 256),
        (32, 1, 256),
        (32, 2, 256),
        (32, 2, 192),
    ]


def test_a_single_frame_keeps_its_frame() -> None:
    assert {rung.every for rung in rungs(Picture(256, 256, 1, False), "gif")} == {1}


def test_a_clip_far_over_its_limit_skips_rungs_that_can_t_fit() -> None:
    ladder = list(rungs(Picture(256, 256, 16, False), "gif"))
    assert next_rung(ladder, 0, first_bytes=1000, limit=900) == 1
    assert ladder[next_rung(ladder, 0, first_bytes=10_000, limit=1000)].share <= 0.125
    assert next_rung(ladder, 0, first_bytes=10**9, limit=1000) == len(ladder) - 1
    assert next_rung(ladder, len(ladder) - 1, first_bytes=10**9, limit=1000) == len(ladder)
