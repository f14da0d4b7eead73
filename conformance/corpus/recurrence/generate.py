#!/usr/bin/env python3
"""Writes recurrence rules with what python-dateutil makes of them: python3 generate.py > rules.txt

A line has DTSTART, the rule, how many occurrences were taken (at most TAKEN), and the FNV-1a of their times as
20260131T235959 one after the other. `generate.py show DTSTART RULE` prints the occurrences of one rule. Rules keep
to what RFC 5545 allows; those that dateutil fails at or needs long for are left out: the bound that ends rules
without occurrences is tested by name.
"""

import random
import signal
import sys
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr

RULES, TAKEN, SECONDS = 10_000, 40, 0.1
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FREQUENCIES = {"YEARLY": 25, "MONTHLY": 25, "WEEKLY": 20, "DAILY": 15, "HOURLY": 5, "MINUTELY": 5, "SECONDLY": 5}


def some(rng, values, most):
    return sorted(rng.sample(values, rng.randint(1, min(most, len(values)))))


def joined(values):
    return ",".join(str(value) for value in values)


def signed(rng, largest, most):
    numbers = [n for n in range(-largest, largest + 1) if n != 0]
    return joined(some(rng, numbers, most))


def weekdays(rng, frequency):
    days = some(rng, DAYS, 4)
    largest = {"YEARLY": 53, "MONTHLY": 5}.get(frequency)
    if largest is None or rng.random() < 0.4:
        return joined(days)
    # dateutil takes a mixture of numbered and other days for none at all, which RFC 5545 does not say.
    number = lambda: rng.choice([1, 2, 3, 4, -1, -2, rng.randint(1, largest)])
    return joined(f"{number()}{day}" for day in days)


def rule(rng, start):
    frequency = rng.choices(list(FREQUENCIES), FREQUENCIES.values())[0]
    parts = [f"FREQ={frequency}"]
    chance = lambda share: rng.random() < share
    if chance(0.5):
        parts.append(f"INTERVAL={rng.choice([2, 3, 4, 5, 7, 10, 12, 13, 24, 60, 90])}")
    lists = []
    if chance(0.3):
        lists.append("BYMONTH=" + joined(some(rng, range(1, 13), 4)))
    if chance(0.35) and frequency != "WEEKLY":
        lists.append("BYMONTHDAY=" + signed(rng, 31, 5))
    if chance(0.45):
        lists.append("BYDAY=" + weekdays(rng, frequency))
    if chance(0.12) and frequency in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY"):
        lists.append("BYYEARDAY=" + signed(rng, 366, 6))
    numbered = any(c.isdigit() for c in "".join(l for l in lists if l.startswith("BYDAY")))
    if chance(0.15) and frequency == "YEARLY" and not numbered:
        # Others are left out: dateutil takes 1 January 2011, of week 52, for week 53, and misses that of 2016.
        lists.append("BYWEEKNO=" + joined(some(rng, [-1, *range(1, 53)], 4)))
    if chance(0.15):
        lists.append("BYHOUR=" + joined(some(rng, range(24), 3)))
    if chance(0.15):
        lists.append("BYMINUTE=" + joined(some(rng, range(60), 3)))
    if chance(0.1):
        lists.append("BYSECOND=" + joined(some(rng, range(60), 3)))
    if lists and chance(0.2):
        lists.append("BYSETPOS=" + joined(some(rng, [1, 2, 3, 5, -1, -2, -3, 10, -10], 3)))
    parts += lists
    if chance(0.3):
        parts.append("WKST=" + rng.choice(DAYS))
    if chance(0.25):
        parts.append(f"COUNT={rng.choice([1, 2, 5, 10, 30, 100])}")
    elif chance(0.35):
        until = start + timedelta(seconds=rng.choice([3_600, 86_400, 3_000_000, 40_000_000, 900_000_000]))
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%S}")
    return ";".join(parts)


def occurrences(start, text):
    times = []
    for time in rrulestr(text, dtstart=start):
        times.append(f"{time:%Y%m%dT%H%M%S}".rjust(15, "0"))
        if len(times) == TAKEN:
            break
    return times


def fnv1a(text):
    value = 0xCBF29CE484222325
    for octet in text.encode():
        value = (value ^ octet) * 0x100000001B3 % (1 << 64)
    return value


def too_long(*_):
    raise TimeoutError


def main():
    rng = random.Random(20260131)
    signal.signal(signal.SIGALRM, too_long)
    written = 0
    while written < RULES:
        start = datetime(rng.randint(1980, 2030), rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24))
        start += timedelta(days=rng.randrange(4), minutes=rng.choice([0, 0, 15, 30, 59]), seconds=rng.choice([0, 0, 7]))
        text = rule(rng, start)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            times = occurrences(start, text)
        except (TimeoutError, ValueError, IndexError):
            continue
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(f"{start:%Y%m%dT%H%M%S} {text} {len(times)} {fnv1a(''.join(times)):016x}")
        written += 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["show"]:
        print("\n".join(occurrences(datetime.strptime(sys.argv[2], "%Y%m%dT%H%M%S"), sys.argv[3])))
    else:
        main()
