"""CPython's poplib against a POP3 server: PORT TLS_PORT USER PASSWORD FOLDER.

FOLDER has the messages of the Inbox as 1.eml, 2.eml and so on. Prints a line a check."""

import os
import poplib
import ssl
import sys

PORT, TLS_PORT, USER, PASSWORD, FOLDER = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]
# poplib gives up on lines longer than this; a message may have them.
poplib._MAXLINE = 1 << 20


def trust_anybody():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def sent():
    count = len([name for name in os.listdir(FOLDER) if name.endswith(".eml")])
    return [open(os.path.join(FOLDER, f"{n}.eml"), "rb").read() for n in range(1, count + 1)]


def check(what, run):
    try:
        outcome = run()
    except Exception as error:
        outcome = repr(error)
    if outcome is None or outcome is True:
        print(f"  ok   poplib: {what}", flush=True)
    else:
        print(f"  FAIL poplib: {what} | {str(outcome)[:300]}", flush=True)


def plain():
    server = poplib.POP3("127.0.0.1", PORT, timeout=60)
    server.user(USER)
    server.pass_(PASSWORD)
    return server


def message(server, number):
    return b"".join(line + b"\r\n" for line in server.retr(number)[1])


def sizes(server):
    return [int(line.split()[1]) for line in server.list()[1]]


def refused(run):
    try:
        run()
    except poplib.error_proto as error:
        return str(error).startswith("b'-ERR")
    return False


def quit_without(server):
    server.dele(1)
    server.close()
    return plain().stat()[0] == len(MESSAGES)


def reset(server):
    server.dele(1)
    server.dele(2)
    left = server.stat()[0]
    server.rset()
    return left == len(MESSAGES) - 2 and server.stat()[0] == len(MESSAGES)


def starttls():
    server = poplib.POP3("127.0.0.1", PORT, timeout=60)
    server.stls(trust_anybody())
    server.user(USER)
    server.pass_(PASSWORD)
    return message(server, 1) == MESSAGES[0]


def over_tls():
    server = poplib.POP3_SSL("127.0.0.1", TLS_PORT, timeout=60, context=trust_anybody())
    server.user(USER)
    server.pass_(PASSWORD)
    return message(server, 1) == MESSAGES[0]


def wrong_password():
    server = poplib.POP3("127.0.0.1", PORT, timeout=60)
    server.user(USER)
    return refused(lambda: server.pass_("wrong"))


MESSAGES = sent()
server = plain()
check("STAT", lambda: server.stat() == (len(MESSAGES), sum(map(len, MESSAGES))))
check("LIST", lambda: sizes(server) == [len(text) for text in MESSAGES])
check("LIST of one", lambda: server.list(2).split()[1:] == [b"2", b"%d" % len(MESSAGES[1])])
check("every message, bytes equal", lambda: [message(server, n + 1) for n in range(len(MESSAGES))] == MESSAGES)
check("messages in reverse", lambda: [message(server, n) for n in range(len(MESSAGES), 0, -1)] == MESSAGES[::-1])
check("UIDL", lambda: len({line.split()[1] for line in server.uidl()[1]}) == len(MESSAGES))
check("UIDL of one", lambda: server.uidl(3).split()[1:] == server.uidl()[1][2].split())
check("TOP", lambda: b"\r\n".join(server.top(1, 0)[1]) + b"\r\n" == MESSAGES[0].split(b"\r\n\r\n")[0] + b"\r\n\r\n")
check("CAPA", lambda: {"UIDL", "TOP", "PIPELINING", "UTF8"} <= set(server.capa()) and "STLS" not in server.capa())
check("CAPA before the login", lambda: "STLS" in poplib.POP3("127.0.0.1", PORT, timeout=60).capa())
check("NOOP", lambda: server.noop().startswith(b"+OK"))
check("no such message", lambda: refused(lambda: server.retr(len(MESSAGES) + 1)))
check("message 0", lambda: refused(lambda: server.retr(0)))
check("RSET", lambda: reset(server))
check("QUIT", lambda: server.quit().startswith(b"+OK"))
check("UTF8", lambda: poplib.POP3("127.0.0.1", PORT, timeout=60).utf8().startswith(b"+OK"))
check("STLS", starttls)
check("over TLS", over_tls)
check("wrong password", wrong_password)
check("a dropped connection deletes nothing", lambda: quit_without(plain()))
