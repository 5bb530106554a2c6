"""Sentences written for this project, to calibrate int8 ranges and to check an export by itself.

Not here: benchmark data. None of it is used to make an export, so that its numbers stay honest.
"""

from __future__ import annotations

_LINES = """
The patients were treated with 40 mg of atorvastatin daily for twelve weeks, and LDL cholesterol fell.
Transcription of the gene is repressed when the methylated promoter recruits histone deacetylases.
The boundary layer separates at the trailing edge as the Mach number of the free stream approaches one.
A heat flux of 2.5 kW per square metre was measured on the blunt nose of the cone at zero incidence.
He was the second son of the Duke of Brunswick and married his cousin Sophia in 1682.
The film was directed by Elena Marchetti, starring Tom Hall and Ruth Okafor, and premiered in Venice.
Which city is the birthplace of the composer of the opera Der Rosenkavalier?
Who paid invoice INV-20317, and when was it due?
Revenue rose 14.2% to $3.81 billion (2022: $3.34 billion), driven by higher subscription sales.
The tenant shall not assign this lease, in whole or in part, without the landlord's written consent.
def mean(values: list[float]) -> float: return sum(values) / len(values) if values else 0.0
SELECT name, COUNT(*) FROM orders WHERE status = 'open' GROUP BY name ORDER BY 2 DESC LIMIT 10;
To reset the pump, hold the green button for five seconds until the LED blinks twice.
Error 0x80070057: the parameter is incorrect. See https://example.org/help/errors?id=57 for details.
Quarter | Units | Price | Total; Q1 | 120 | 9.50 | 1,140.00; Q2 | 98 | 9.75 | 955.50; Q3 | - | - | -
I absolutely loved this place!!! The pasta was AMAZING, but the waiter forgot our drinks :(
The treaty was signed on 30 October 1947 by twenty-three countries and entered into force in 1948.
Glaciers in the northern range have lost a third of their volume since the first survey of 1931.
What is the maximum operating temperature of the sensor, and how often must it be calibrated?
vitamin d deficiency risk elderly
Dear team, please find attached the minutes of Tuesday's meeting; comments are welcome until Friday.
The theorem follows by induction on n, since every proper subgroup of a cyclic group is cyclic.
这家公司的总部位于北京,成立于一九九八年。
Die Lieferung erfolgt innerhalb von zehn Werktagen nach Eingang der Zahlung; Änderungen vorbehalten.
Mitochondrial DNA haplogroups were compared between 312 centenarians and 458 younger controls.
Knockdown of p53 by siRNA reduced caspase-3 cleavage and apoptosis in HCT116 cells (P < 0.001).
The airport, located 12 km east of the town, serves about 400,000 passengers a year.
An aspect ratio of 6 with 45 degree sweepback gave the least drag at supersonic speed.
Her first novel, The Salt Road, won the Whitfield Prize and was translated into nine languages.
Employees accrue 1.75 days of paid leave per month; unused days lapse on 31 March of the next year.
Great job 🎉🎉 see you tomorrow 😀
The court held that the clause was unenforceable because its terms were too vague to be applied.
"""  # noqa: E501

LINES = tuple(line for line in _LINES.strip().splitlines())


def calibration() -> list[str]:
    """Texts short and long for the ranges: single lines, and runs of eight lines."""
    runs = [" ".join(LINES[start : start + 8]) for start in range(0, len(LINES), 4)]
    return [*LINES[::2], *runs, "", "a"]


def check() -> list[str]:
    """Texts for the self-check: the lines and runs that calibration did not see as such."""
    runs = [" ".join(reversed(LINES[start : start + 5])) for start in range(0, len(LINES), 8)]
    return [*LINES[1::2], *runs]
