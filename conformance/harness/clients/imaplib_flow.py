#!/usr/bin/env python3
"""CPython's imaplib driven through a full client life.

usage: imaplib_flow.py PORT USER PASSWORD MESSAGES     (a folder of .eml files)

Prints `  ok   what` or `  FAIL what | why` for every check.
"""
import imaplib
import os
import re
import sys

PORT, USER, PASSWORD, FOLDER = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
DATE = imaplib.Time2Internaldate(1772442672)
imaplib._MAXLINE = 100_000_000


def check(holds, what, detail=""):
    """Reports one check."""
    print(f"  ok   {what}" if holds else f"  FAIL {what} | {str(detail)[:300]}", flush=True)


def attempt(what, run):
    """Reports a check that may raise."""
    try:
        check(run() is not False, what)
    except Exception as error:  # noqa: BLE001: whatever a client library raises is the finding
        check(False, what, f"{type(error).__name__}: {error}")


def ok(result, what):
    """The command succeeded."""
    check(result[0] == "OK", what, result)


def session():
    """A second connection, logged in."""
    other = imaplib.IMAP4("127.0.0.1", PORT, timeout=60)
    other.login(USER, PASSWORD)
    return other


def messages():
    """Name to bytes, in order of name."""
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".eml"))
    return {name[:-4]: open(os.path.join(FOLDER, name), "rb").read() for name in names}


def every_body(imap, mailbox):
    """UID to bytes."""
    if not int(imap.select(f'"{mailbox}"', readonly=True)[1][0] or 0):
        return {}
    _, data = imap.uid("FETCH", "1:*", "(UID BODY.PEEK[])")
    bodies = {}
    for index, item in enumerate(data):
        if isinstance(item, tuple):
            tail = data[index + 1] if index + 1 < len(data) and isinstance(data[index + 1], bytes) else b""
            bodies[int(re.search(rb"UID (\d+)", item[0] + tail).group(1))] = item[1]
    return bodies


def fetched(imap, uid, items):
    """The first FETCH datum, as bytes."""
    datum = imap.uid("FETCH", str(uid), items)[1][0]
    return datum if isinstance(datum, bytes) else b"".join(datum)


def logging_in():
    """Greeting, refused and accepted logins."""
    imap = imaplib.IMAP4("127.0.0.1", PORT, timeout=60)
    check("IMAP4REV1" in imap.capabilities, "CAPABILITY IMAP4rev1", imap.capabilities)
    try:
        imap.login(USER, "not-the-password")
        check(False, "a wrong password is refused")
    except imaplib.IMAP4.error:
        check(True, "a wrong password is refused")
    plain = b"\0" + USER.encode() + b"\0" + PASSWORD.encode()
    attempt("AUTHENTICATE PLAIN", lambda: imap.authenticate("PLAIN", lambda _: plain)[0] == "OK")
    ok(imap.noop(), "NOOP")
    ok(imap.namespace(), "NAMESPACE")
    listed = imap.list('""', "*")
    check(any(b"INBOX" in line.upper() for line in listed[1] if line), "LIST has INBOX", listed)
    return imap


def appending(imap, sent):
    """CREATE, APPEND of every message, and their UIDs."""
    ok(imap.create("Flow"), "CREATE")
    check(imap.create("Flow")[0] == "NO", "CREATE twice is NO")
    ok(imap.subscribe("Flow"), "SUBSCRIBE")
    check(any(b"Flow" in line for line in imap.lsub('""', "*")[1] if line), "LSUB shows it")
    uids = {}
    for name, body in sent.items():
        flags = r"(\Seen kw-flow)" if name == "plain" else ""
        result = imap.append("Flow", flags, DATE, body)
        uid = re.search(rb"APPENDUID \d+ (\d+)", result[1][0] or b"")
        check(result[0] == "OK" and uid, f"APPEND {name}", result)
        uids[name] = int(uid.group(1)) if uid else 0
    return uids


def reading(imap, sent, uids):
    """SELECT, bodies, sizes, dates, structure, sections, partials."""
    selected = imap.select("Flow")
    check(selected[0] == "OK" and int(selected[1][0]) == len(sent), "SELECT EXISTS", selected)
    for code in ("UIDVALIDITY", "UIDNEXT", "PERMANENTFLAGS"):
        check(imap.untagged_responses.get(code) or imap.response(code)[1][0], f"SELECT {code}")
    bodies = every_body(imap, "Flow")
    for name, body in sent.items():
        check(bodies.get(uids[name]) == body, f"byte-exact {name}", bodies.get(uids[name], b"")[:200])
    imap.select("Flow")
    facts = fetched(imap, uids["plain"], "(FLAGS INTERNALDATE RFC822.SIZE)")
    check(b"\\Seen" in facts and b"kw-flow" in facts, "flags and keyword kept", facts)
    check(b"02-Mar-2026" in facts, "INTERNALDATE kept", facts)
    for name in ("plain", "multipart", "medium-300k", "utf8-8bit", "folded"):
        size = fetched(imap, uids[name], "(RFC822.SIZE)")
        check(b"RFC822.SIZE %d" % len(sent[name]) in size, f"RFC822.SIZE exact {name}", size)
    structure = fetched(imap, uids["multipart"], "(BODYSTRUCTURE)").lower()
    check(b'"alternative"' in structure and b'"rfc822"' in structure, "BODYSTRUCTURE", structure)
    envelope = fetched(imap, uids["plain"], "(ENVELOPE)")
    check(b'"alice" "example.org"' in envelope, "ENVELOPE", envelope)
    html_header = b"Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    inner_header = b"From: in@ner.example.org\r\nSubject: inner\r\nContent-Type: text/plain\r\n\r\n"
    sections = {
        "1.1": b"hi",
        "1.2.MIME": html_header,
        "2": b"AAECAwQFBgcICQ==",
        "3.HEADER": inner_header,
        "3.TEXT": b"inner body",
        "3.1": b"inner body",
        "HEADER.FIELDS (SUBJECT)": b"Subject: multi\r\n\r\n",
    }
    for section, want in sections.items():
        got = imap.uid("FETCH", str(uids["multipart"]), f"(BODY.PEEK[{section}])")[1][0]
        body = got[1] if isinstance(got, tuple) else got
        quoted = isinstance(got, bytes) and b'"' + want + b'"' in got
        check(body == want or quoted, f"BODY[{section}]", got)
    part = imap.uid("FETCH", str(uids["medium-300k"]), "(BODY.PEEK[]<1000.5000>)")[1][0]
    check(part[1] == sent["medium-300k"][1000:6000], "partial FETCH")


def searching(imap, sent, uids):
    """SEARCH keys, charsets, literals."""

    def search(*keys):
        return set(map(int, imap.uid("SEARCH", *keys)[1][0].split()))

    def search_utf8(key, text):
        imap.literal = text.encode()
        return set(map(int, imap.uid("SEARCH", "CHARSET", "UTF-8", key)[1][0].split()))

    attempt("SEARCH SEEN", lambda: search("SEEN") == {uids["plain"]})
    attempt("SEARCH KEYWORD", lambda: search("KEYWORD", "kw-flow") == {uids["plain"]})
    attempt("SEARCH SUBJECT", lambda: uids["multipart"] in search("SUBJECT", "multi"))
    attempt("SEARCH BODY", lambda: uids["dots"] in search("BODY", '"..."'))
    attempt("SEARCH decoded RFC 2047", lambda: uids["rfc2047"] in search_utf8("SUBJECT", "Grüße"))
    attempt("SEARCH TEXT in UTF-8", lambda: uids["utf8-8bit"] in search_utf8("TEXT", "köln"))
    attempt("SEARCH Latin-1 by UTF-8", lambda: uids["latin1-8bit"] in search_utf8("TEXT", "àéîõü"))
    attempt("SEARCH LARGER", lambda: search("LARGER", "200000") == {uids["medium-300k"]})
    either = ("OR", "SUBJECT", '"dots"', "NOT", "ALL", "UID", "1:*")
    attempt("SEARCH OR NOT UID", lambda: search(*either) == {uids["dots"]})
    attempt("SEARCH SENTON", lambda: len(search("SENTON", "2-Mar-2026")) == len(sent))
    attempt("SEARCH SENTBEFORE none", lambda: not search("SENTBEFORE", "2-Mar-2026"))
    attempt("SEARCH HEADER empty", lambda: search("HEADER", "X-Empty", '""') == {uids["folded"]})
    return search


def storing(imap, uids):
    """STORE in its forms."""
    dots = str(uids["dots"])
    got = imap.uid("STORE", dots, "+FLAGS", r"(\Flagged \Answered)")
    check(b"\\Flagged" in (got[1][0] or b""), "STORE +FLAGS", got)
    got = imap.uid("STORE", dots, "-FLAGS", r"(\Answered)")
    check(b"\\Answered" not in (got[1][0] or b"x\\Answered"), "STORE -FLAGS", got)
    ok(imap.uid("STORE", dots, "FLAGS.SILENT", r"(\Draft)"), "STORE FLAGS.SILENT")
    flags = fetched(imap, dots, "(FLAGS)")
    check(b"\\Draft" in flags and b"\\Flagged" not in flags, "flags replaced", flags)
    imap.uid("FETCH", str(uids["empty-body"]), "(BODY[TEXT])")
    check(b"\\Seen" in fetched(imap, uids["empty-body"], "(FLAGS)"), "BODY[] sets Seen")


def copying(imap, sent, uids, search):
    """COPY and MOVE."""
    ok(imap.create("Flow2"), "CREATE second")
    ok(imap.uid("COPY", f"{uids['plain']},{uids['dots']}", "Flow2"), "UID COPY")
    check(imap.uid("COPY", "1", "NoSuchBox")[0] == "NO", "COPY to a missing mailbox is NO")
    ok(imap.uid("MOVE", str(uids["folded"]), "Flow2"), "UID MOVE")
    check(not search("UID", str(uids["folded"])), "moved away")
    status = imap.status("Flow2", "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)")
    check(b"MESSAGES 3" in status[1][0], "STATUS", status)
    want = sorted(sent[name] for name in ("plain", "dots", "folded"))
    attempt("copied bytes", lambda: sorted(every_body(session(), "Flow2").values()) == want)


def two_sessions(imap, sent, uids, search):
    """What one session does, the other sees."""
    other = session()
    other.select("Flow")
    other.uid("STORE", str(uids["multipart"]), "+FLAGS", r"(\Deleted)")
    imap.noop()
    seen = imap.response("FETCH")
    check(any(b"Deleted" in x for x in seen[1] if isinstance(x, bytes)), "the other session's flag is seen", seen)
    ok(other.expunge(), "EXPUNGE")
    imap.response("EXPUNGE")
    imap.noop()
    seen = imap.response("EXPUNGE")
    check(seen[1] != [None] and len(seen[1]) == 1, "the other session's EXPUNGE is seen", seen)
    other.append("Flow", "", None, sent["plain"])
    imap.noop()
    check(imap.response("EXISTS")[1] != [None], "the other session's APPEND is seen")
    imap.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
    ok(imap.uid("EXPUNGE", str(uids["calendar"])), "UID EXPUNGE")
    attempt("UID EXPUNGE removed only one", lambda: len(search("ALL")) == len(sent) - 2)
    other.logout()


def closing(imap):
    """UNSELECT, EXAMINE, RENAME, DELETE, LOGOUT."""
    if "UNSELECT" in imap.capabilities:
        ok(imap.unselect(), "UNSELECT")
    ok(imap.select("Flow", readonly=True), "EXAMINE")
    try:
        imap.store("1", "+FLAGS", r"(\Flagged)")
        check(b"Flagged" not in (imap.fetch("1", "(FLAGS)")[1][0] or b""), "STORE in EXAMINE changes nothing")
    except imaplib.IMAP4.readonly:
        check(True, "STORE in EXAMINE changes nothing")
    imap.close()
    ok(imap.rename("Flow2", "Renamed"), "RENAME")
    check(imap.select("Flow2")[0] == "NO", "the old name is gone")
    ok(imap.create("Renamed/sub_&AOQ-"), "CREATE child in modified UTF-7")
    check(any(b"&AOQ-" in line for line in imap.list("Renamed/", "%")[1] if line), "LIST child")
    optional = {
        "SORT": lambda: imap.sort("(REVERSE DATE)", "UTF-8", "ALL"),
        "THREAD=REFERENCES": lambda: imap.thread("REFERENCES", "UTF-8", "ALL"),
        "QUOTA": lambda: imap.getquotaroot("INBOX"),
        "ACL": lambda: imap.myrights("INBOX"),
        "ID": lambda: imap.xatom("ID", '("name" "flow")'),
    }
    for capability, run in optional.items():
        if capability in imap.capabilities:
            imap.select("Flow")
            ok(run(), f"{capability}, as advertised")
    for mailbox in ("Renamed/sub_&AOQ-", "Renamed", "Flow"):
        if imap.state == "SELECTED":
            imap.close()
        imap.unsubscribe(mailbox)
        ok(imap.delete(mailbox), f"DELETE {mailbox}")
    check(imap.logout()[0] == "BYE", "LOGOUT")


def main():
    """The whole life, in order."""
    sent = messages()
    imap = logging_in()
    uids = appending(imap, sent)
    reading(imap, sent, uids)
    search = searching(imap, sent, uids)
    storing(imap, uids)
    copying(imap, sent, uids, search)
    two_sessions(imap, sent, uids, search)
    closing(imap)


main()
