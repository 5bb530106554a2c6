"""Long evidence is cut to the sentences that share a claim's rare words."""

from models.premise import WORDS, nearest, premise

FILLER = "The committee met again and nothing was decided about the matter at hand."


def test_short_evidence_is_read_whole():
    assert premise("any claim", "One sentence. Another one.") == "One sentence. Another one."


def test_the_sentence_that_shares_rare_words_survives_the_cut():
    evidence = " ".join([FILLER] * 30 + ["Zinc lowers mortality in mice."] + [FILLER] * 30)
    kept = premise("zinc reduces mortality", evidence)
    assert "Zinc lowers mortality in mice." in kept
    assert len(kept.split()) <= WORDS


def test_kept_sentences_stand_in_their_own_order():
    evidence = " ".join(
        [FILLER] * 20 + ["Beta came later."] + [FILLER] * 20 + ["Alpha came first."]
    )
    kept = premise("alpha beta", evidence, 20)
    assert kept.index("Beta") < kept.index("Alpha")


def test_a_single_endless_sentence_is_given_whole():
    endless = "word " * 500
    assert premise("word", endless) == endless


def test_common_words_do_not_decide_what_is_near():
    texts = ["It is the one of the many.", "Cadmium is toxic.", "It was the end of it."]
    assert nearest("is it the cadmium that is toxic", texts)[0] == 1
