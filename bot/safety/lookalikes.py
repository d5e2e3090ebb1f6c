"""Letters that look like a Latin one, after case folding. Made by `scripts/make_lookalikes.py`: not by hand.

Data: confusables of Unicode Technical Standard #39, Copyright Unicode, Inc., under the Unicode License v3
(https://www.unicode.org/license.txt), as carried by confusable-homoglyphs 3.3.1 (MIT).
"""

LOOKALIKES = dict(
    zip(
        "øđıĸłƅƍƽǀɑɡɣɩɪɯʀʋʍʏʝαβγδεζηικλμνορστυχωϝϳϻавгезкмнопрстухшьєѕіјѡѵүһҽӏԁԍԛԝագզհոռստցքօଠഠဝყჿሀዐᎠᎡᎢᎥᎩᎪᎫᎬᎱ"
        "ᎳᎷᎻᎽᏀᏂᏃᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏳᏴᐯᑌᑭᑯᑲᒍᒪᕁᕼᕽᖇᖯᖴᗅᗞᗪᗰᗷᚷᛁᛕᛖᴄᴏᴑᴜᴠᴡᴢᴦᴩᶃᶌẝỿⲅⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭⳑⴸⴹⵏⵔⵕⵝꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ"
        "ꙇꛟꜱꞙꞟꞵꬲꬵꬽꭇꭈꭎꭒꭓꭚ\U00010282\U00010286\U00010287\U0001028a\U00010290\U00010292\U00010295\U00010296"
        "\U00010297\U000102a0\U000102a1\U000102a2\U000102a5\U000102ab\U000102b0\U000102b1\U000102b2\U000102b4"
        "\U000102cf\U00010301\U00010302\U00010309\U00010311\U00010315\U00010317\U0001042c\U0001043d\U00010443"
        "\U00010448\U000104dc\U000104ea\U000104f6\U00010513\U00010516\U00010518\U0001051c\U0001051d\U00010525"
        "\U00010526\U00010527\U00011706\U0001170a\U0001170e\U0001170f\U000118c0\U000118c1\U000118c2\U000118c3"
        "\U000118c4\U000118c6\U000118c8\U000118c9\U000118ce\U000118d2\U000118d5\U000118d7\U000118d8\U000118dc"
        "\U00016f08\U00016f0a\U00016f16\U00016f28\U00016f35\U00016f3a\U00016f40\U00016f42\U00016f43",
        "odiklbgslagyiiwrumyjabyoeznikluvopctuxwfjmabreekmhonpctyxwbesijwvyheldgqwwqqhnnusgfooooyouodrtiyajer"
        "wmhyghzbrwsvslcpkdgbvupdbjlxhxrbfaddmbxlkmcoouvwzrpgyfyrhlkmnopctyxlveloqxbpddtgkjczfmnlsrvhwxyaelou"
        "ivsfubeforruuxybeflxopstabcfomtyxhbclmtxoclsrounokcvflxvwwwvsfizeozeloouyvtllrsauy",
        strict=True,
    )
)
