"""What the recorded systems of routing/* cost: tokens x the price list of their time.

Every price is in US dollars for a million tokens, prompt and answer apart, with the list it is
from. Tokens are counted as bytes / 4 (pipeline/llm_bill.py: rough_count), since the systems' own
tokenisers differ and are not all public. Not here: the rows themselves (routing_rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.llm_bill import rough_count


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens read and written; `samples`: answers written for one.

    twice: a second call reads prompt and answer again, to extract the result.
    """

    prompt: float
    answer: float
    samples: int = 1
    twice: bool = False

    def of(self, prompt: str, answer: str | None, answer_tokens: int = 1) -> float:
        """Dollars of one call; without the text an answer has `answer_tokens`."""
        written = answer_tokens if answer is None else rough_count(answer)
        read = rough_count(prompt) + (rough_count(prompt) + written if self.twice else 0)
        return (read * self.prompt + written * self.answer * self.samples) / 1e6


# OpenAI, 2023-11-06: gpt-4-1106-preview $0.01 / $0.03 for 1,000 tokens.
GPT4_1106 = Price(10.0, 30.0)
# Together AI, January 2024: Mixtral-8x7B-Instruct $0.60 for a million tokens, either way.
MIXTRAL = Price(0.6, 0.6)
# OpenAI, until 2022-08-31 (page of 2022-07-03): Curie $0.006, Davinci $0.06 for 1,000 tokens,
# either way. Curie stands for the 6B model, Davinci for 175B and for text-davinci-002.
CURIE, DAVINCI = 6.0, 60.0
# "Verification" (arXiv 2110.14168) writes 100 solutions and lets a verifier of the same size read
# each; only the writing is counted. A cascade must not get these hundred for the price of one.
VERIFIED = 100

PRICES: dict[str, Price] = {
    "mixtral-8x7b": MIXTRAL,
    "gpt-4-1106": GPT4_1106,
    "6b_finetuning": Price(CURIE, CURIE),
    "6b_verification": Price(CURIE, CURIE, VERIFIED),
    "175b_finetuning": Price(DAVINCI, DAVINCI),
    "175b_verification": Price(DAVINCI, DAVINCI, VERIFIED),
    # Zero-shot chain of thought (arXiv 2205.11916): one model, two ways to ask. Step by step is
    # two calls, the second reads the first's answer again to extract the result.
    "direct": Price(DAVINCI, DAVINCI),
    "step_by_step": Price(DAVINCI, DAVINCI, twice=True),
}
