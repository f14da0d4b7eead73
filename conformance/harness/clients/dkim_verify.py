#!/usr/bin/python3
"""Whether a message's DKIM signature is good.

usage: dkim_verify.py RECORD < MESSAGE     (a file with what DNS has for every selector)
"""
import sys

import dkim

RECORD = open(sys.argv[1], "rb").read().strip()

sys.exit(0 if dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: RECORD) else 1)
