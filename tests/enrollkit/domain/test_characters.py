def test_no_text_can_steer_a_terminal() -> None:
    assert shown("Asha\x1b[2J\u202eived\x07") == "Asha·[2J·ived·"
    assert shown("कृष्णा\u200d देवी") == "कृष्णा\u200d देवी"
