#!/usr/bin/env python3
"""Thunderbird driven through a full client life, in its own window on a virtual screen.

usage: thunderbird.py IMAP_PORT IMAPS_PORT LMTP_PORT USER1 PASSWORD1 USER2 PASSWORD2 [MISSING_USE]...

The first account logs in with STARTTLS, the second with TLS from the first byte. What Thunderbird shows and does is
compared with what a second client, imaplib, finds on the server, which has no folder for a MISSING_USE such as
`Archive`. Prints `  ok   what` or `  FAIL what | why` for every check, and last `N passed, M failed`.
"""
import base64
import email
import email.policy
import imaplib
import os
import re
import shutil
import signal
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time

from marionette import Marionette

IMAP_PORT, IMAPS_PORT, LMTP_PORT = map(int, sys.argv[1:4])
ACCOUNTS = [(sys.argv[4], sys.argv[5], IMAP_PORT, "STARTTLS"), (sys.argv[6], sys.argv[7], IMAPS_PORT, "TLS")]
SOCKET_TYPE = {"STARTTLS": 2, "TLS": 3}
# Special use by RFC 6154, and Thunderbird's word for it.
SPECIAL = {use: b"\\" + use.encode() for use in ("Sent", "Trash", "Drafts", "Junk", "Archive") if use not in sys.argv[8:]}
LIFE_LIMIT_S = 480
START_LIMIT_S = 120
SCRIPT_LIMIT_S = 120
SERVER_LIMIT_S = 30
POLL_S = 0.1
# Thunderbird looks for new mail by itself every ten minutes: what comes sooner was pushed.
IDLE_LIMIT_S = 60
EXPUNGE_LIMIT_S = 15
EXPUNGE_ROUNDS = 4
SCORE = {True: 0, False: 0}
imaplib._MAXLINE = 100_000_000


class TooLong(BaseException):
    """Time is up: no single check may take it for its own failure."""


def check(holds, what, detail=""):
    """Reports one check."""
    SCORE[bool(holds)] += 1
    print(f"  ok   {what}" if holds else f"  FAIL {what} | {' '.join(str(detail).split())[:400]}", flush=True)
    return bool(holds)


def attempt(what, run):
    """Reports a check that may raise; gives its value."""
    try:
        value = run()
    except Exception as error:  # noqa: BLE001: whatever goes wrong is the finding
        check(False, what, f"{type(error).__name__}: {error}")
        return None
    holds, detail = value if isinstance(value, tuple) else (value, "")
    check(holds, what, detail)
    return value


def eventually(holds, limit_s=SERVER_LIMIT_S):
    """Looks at a condition until it holds or the limit is over; gives its last value."""
    deadline = time.monotonic() + limit_s
    while not (value := holds()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return value


class Server:
    """The second opinion: imaplib on the same mailbox."""

    def __init__(self, user, password):
        self.user = user
        self.imap = imaplib.IMAP4("127.0.0.1", IMAP_PORT, timeout=60)
        self.imap.login(user, password)

    def special_folders(self):
        """Use to path, from the attributes of LIST."""
        paths = {"Inbox": "INBOX"}
        for line in self.imap.list('""', "*")[1]:
            attributes, path = re.fullmatch(rb'\((.*?)\) (?:"."|NIL) "?(.*?)"?', line).groups()
            paths.update({use: path.decode() for use, word in SPECIAL.items() if word in attributes.split()})
        return paths

    def folders(self):
        """Every path subscribed to, as sent: those are shown."""
        return [re.search(rb'\) (?:"."|NIL) "?(.*?)"?$', line).group(1).decode() for line in self.imap.lsub('""', "*")[1] if line]

    def select(self, path):
        """Selects anew, so that everything is seen; gives the count."""
        return int(self.imap.select(f'"{path}"', readonly=True)[1][0])

    def messages(self, path):
        """UID to (size, flags, bytes)."""
        if not self.select(path):
            return {}
        _, data = self.imap.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[])")
        messages = {}
        for item, tail in zip(data, data[1:] + [b""]):
            if isinstance(item, tuple):
                facts = item[0] + (tail if isinstance(tail, bytes) else b"")
                flags = set(re.search(rb"FLAGS \((.*?)\)", facts).group(1).decode().split())
                size = int(re.search(rb"RFC822.SIZE (\d+)", facts).group(1))
                messages[int(re.search(rb"UID (\d+)", facts).group(1))] = (size, flags, item[1])
        return messages

    def flags(self, path, uid):
        """The flags of one message."""
        self.select(path)
        data = self.imap.uid("FETCH", str(uid), "(FLAGS)")[1][0]
        return set(re.search(rb"FLAGS \((.*?)\)", data).group(1).decode().split())

    def found(self, path, *keys):
        """The UIDs that SEARCH gives."""
        self.select(path)
        return set(map(int, self.imap.uid("SEARCH", *keys)[1][0].split()))


class Thunderbird:
    """The program, its screen and its profile."""

    def __init__(self):
        for program, package in (("thunderbird", "thunderbird"), ("Xvfb", "xvfb")):
            if not shutil.which(program):
                raise FileNotFoundError(f"program `{program}` is not installed (Debian package {package})")
        self.home = tempfile.mkdtemp(prefix="thunderbird-check-")
        self.profile = os.path.join(self.home, "profile")
        self.started = []
        self.remote = None

    def start(self):
        """Opens the main window and loads the steps."""
        os.mkdir(self.profile)
        with open(os.path.join(self.profile, "prefs.js"), "w") as prefs:
            for name, value in preferences().items():
                word = {True: "true", False: "false"}.get(value, value) if not isinstance(value, str) else f'"{value}"'
                prefs.write(f'user_pref("{name}", {word});\n')
        read, write = os.pipe()
        screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
        self.spawn(screen, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as pipe:
            display = pipe.readline().strip()
        environment = dict(os.environ, HOME=self.home, DISPLAY=f":{display}", LC_ALL="C.UTF-8", TZ="UTC")
        environment.update(MOZ_CRASHREPORTER_DISABLE="1", MOZ_ENABLE_WAYLAND="0", NO_AT_BRIDGE="1")
        command = ["thunderbird", "--no-remote", "--profile", self.profile, "--marionette", "--remote-allow-system-access"]
        program = self.spawn(command, env=environment)
        port_file = os.path.join(self.profile, "MarionetteActivePort")
        if not eventually(lambda: os.path.exists(port_file) or program.poll() is not None, START_LIMIT_S):
            raise TimeoutError(f"Thunderbird does not answer: {self.log_tail()}")
        if program.poll() is not None:
            raise RuntimeError(f"Thunderbird ended by itself: {self.log_tail()}")
        self.remote = Marionette(int(eventually(lambda: open(port_file).read().strip())), SCRIPT_LIMIT_S)
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "thunderbird.js")) as steps:
            self.remote.run(steps.read())

    def spawn(self, command, **options):
        """Starts a program of its own group; everything it says goes to a log."""
        log = open(os.path.join(self.home, "log"), "ab")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
        log.close()
        self.started.append(child)
        return child

    def step(self, name, *arguments):
        """Runs one of the functions of thunderbird.js."""
        return self.remote.run(f"return steps.{name}(...arguments);", *arguments)

    def log_tail(self):
        """The end of what the programs said."""
        with open(os.path.join(self.home, "log"), "rb") as log:
            return log.read()[-500:].decode("utf-8", "replace")

    def quit(self):
        """Quits, as the menu does; gives the exit status."""
        self.step("quit")
        return self.started[-1].wait(SERVER_LIMIT_S)

    def clean_up(self):
        """Leaves no process and no file behind."""
        if self.remote:
            self.remote.close()
        for child in reversed(self.started):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def preferences():
    """A profile with both accounts, as the account wizard would leave it, and nothing that asks or calls home."""
    prefs = {
        "app.update.enabled": False,
        "browser.dom.window.dump.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "extensions.update.enabled": False,
        "mail.accountmanager.accounts": ",".join(f"account{n}" for n in range(1, len(ACCOUNTS) + 1)),
        "mail.accountmanager.defaultaccount": "account1",
        "mail.provider.suppress_dialog_on_startup": True,
        "mail.shell.checkDefaultClient": False,
        "mail.spotlight.firstRunDone": True,
        "mailnews.confirm.moveFoldersToTrash": False,
        "mailnews.start_page.enabled": False,
        "mailnews.start_page_override.mstone": "ignore",
        "marionette.port": 0,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "signon.rememberSignons": True,
        "toolkit.telemetry.enabled": False,
    }
    for n, (user, _, port, security) in enumerate(ACCOUNTS, 1):
        server, identity = f"mail.server.server{n}", f"mail.identity.id{n}"
        prefs |= {
            f"mail.account.account{n}.server": f"server{n}",
            f"mail.account.account{n}.identities": f"id{n}",
            f"{server}.type": "imap",
            f"{server}.hostname": "127.0.0.1",
            f"{server}.port": port,
            f"{server}.userName": user,
            f"{server}.name": user,
            f"{server}.socketType": SOCKET_TYPE[security],
            f"{server}.authMethod": 3,
            f"{server}.login_at_startup": False,
            # The first account keeps copies, as is usual; in the second every body is fetched when it is opened.
            f"{server}.offline_download": n == 1,
            f"{server}.autosync_offline_stores": n == 1,
            f"{identity}.fullName": user.split("@")[0],
            f"{identity}.useremail": user,
            f"{identity}.valid": True,
        }
    return prefs


def certificate(port, security):
    """The server's certificate in base64, taken as Thunderbird will see it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if security == "TLS":
        imap = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=context, timeout=60)
    else:
        imap = imaplib.IMAP4("127.0.0.1", port, timeout=60)
        imap.starttls(context)
    der = imap.sock.getpeercert(binary_form=True)
    imap.shutdown()
    return base64.b64encode(der).decode()


class Life:
    """Every check of one account."""

    def __init__(self, program, user, password, security):
        self.program, self.user, self.security = program, user, security
        self.server = Server(user, password)
        self.special = self.server.special_folders()

    def step(self, name, *arguments):
        """Runs a step on this account."""
        return self.program.step(name, self.user, *arguments)

    def check(self, holds, what, detail=""):
        """Reports a check of this account."""
        return check(holds, f"{self.security}: {what}", detail)

    def attempt(self, what, run):
        """Reports a check of this account that may raise."""
        return attempt(f"{self.security}: {what}", run)

    def run(self):
        """The whole life, in order."""
        self.attempt("logs in and shows the special folders", self.folders)
        if self.attempt("opens INBOX, every message a row", self.open_inbox) is None:
            return
        self.listing()
        self.attempt("every source equal to the server's, byte for byte", self.sources)
        self.reading()
        self.attempt("the messages of Sent", self.sent_folder)
        self.marking()
        self.attempt("mail delivered meanwhile appears by IDLE", self.pushed)
        self.attempt("a flag set by another client appears by IDLE", self.flag_pushed)
        self.attempt("a message expunged by another client disappears by IDLE", self.expunge_pushed)
        self.searching()
        self.filing()
        self.attempt("creates, renames and deletes a folder", self.folder_life)

    def folders(self):
        """Special folders are known by their flags, not by name."""
        shown = self.step("folders")
        wrong = {use: path for use, path in self.special.items() if use not in shown.get(path, [])}
        missing = set(self.server.folders()) - set(shown)
        return not wrong and not missing and len(self.special) == len(SPECIAL) + 1, f"{wrong} {missing} {shown}"

    def open_inbox(self):
        """The count of the server is the count of the window."""
        self.inbox = self.server.messages("INBOX")
        return len(self.inbox) > 0 and self.step("open", "INBOX", len(self.inbox))

    def listing(self):
        """Everything the message list shows comes from ENVELOPE-like fields and flags."""
        shown = {int(uid): facts for uid, facts in self.step("messages", "INBOX").items()}
        self.check(shown.keys() == self.inbox.keys(), "UIDs", set(shown) ^ set(self.inbox))
        parsed = {uid: email.message_from_bytes(source, policy=email.policy.default) for uid, (_, _, source) in self.inbox.items()}

        def same(what, of_thunderbird, of_server):
            wrong = [uid for uid in shown if uid in parsed and of_thunderbird(shown[uid]) != of_server(uid)]
            self.check(not wrong, what, [(shown[uid], of_server(uid)) for uid in wrong[:2]])

        def words(text):
            return " ".join((text or "").split())

        same("sizes", lambda facts: facts["size"], lambda uid: self.inbox[uid][0])
        same("read and unread", lambda facts: facts["seen"], lambda uid: "\\Seen" in self.inbox[uid][1])
        same("stars", lambda facts: facts["flagged"], lambda uid: "\\Flagged" in self.inbox[uid][1])
        same("Message-IDs", lambda facts: facts["id"], lambda uid: parsed[uid]["Message-ID"].strip("<> "))
        same(
            "subjects, decoded",
            lambda facts: words(facts["subject"]),
            lambda uid: re.sub("^Re: ", "", words(parsed[uid]["Subject"])),
        )
        same("tags", lambda facts: [word for word in facts["keywords"] if word.startswith("$label")],
             lambda uid: sorted(word for word in self.inbox[uid][1] if word.startswith("$label")))

    def source(self, uid):
        """A message as Thunderbird streams it, less the two lines that its store of copies puts before it."""
        return re.sub(rb"^(X-Mozilla-Status2?: \w+\n)+", b"", base64.b64decode(self.step("source", "INBOX", uid)))

    def sources(self):
        """View source of everything."""
        wrong = []
        for uid, (_, _, source) in self.inbox.items():
            got = self.source(uid)
            if got != source:
                wrong.append((uid, len(source), len(got)))
        return not wrong, f"{len(wrong)} of {len(self.inbox)}: {wrong[:5]}"

    def reading(self):
        """Opens one message of every kind of content, with attachments."""
        kinds = {}
        for uid, (_, _, source) in sorted(self.inbox.items(), reverse=True):
            message = email.message_from_bytes(source, policy=email.policy.default)
            kinds.setdefault((message.get_content_type(), message["Content-Transfer-Encoding"]), (uid, message))
        for (kind, _), (uid, message) in kinds.items():
            self.attempt(f"shows {kind} {uid}", lambda: self.shown(uid, message))

    def shown(self, uid, message):
        """The reader shows the text, and every attachment decodes to the server's bytes, line ends of text aside."""
        shown = self.step("show", "INBOX", uid)
        parts = list(message.iter_attachments()) if message.is_multipart() else []
        text_names = [part.get_filename() for part in parts if part.get_content_maintype() == "text"]
        wanted = {part.get_filename(): part.get_payload(decode=True) for part in parts}
        got = {one["name"]: base64.b64decode(one["data"]) for one in shown["attachments"]}
        for name in text_names:
            wanted[name] = wanted[name].replace(b"\r\n", b"\n")
            got[name] = got.get(name, b"").replace(b"\r\n", b"\n")
        body = message.get_body(("html", "plain"))
        word = re.sub("<.*?>", " ", body.get_content()).split()[0]
        return word in shown["text"] and got == wanted, f"{shown} wanted {word} {wanted}"

    def sent_folder(self):
        """The demo's sent mail, by opening the folder; then back to INBOX."""
        path = self.special["Sent"]
        messages = self.server.messages(path)
        self.step("open", path, len(messages))
        shown = self.step("messages", path)
        self.step("open", "INBOX", self.server.select("INBOX"))
        return set(map(int, shown)) == messages.keys(), f"{len(shown)} shown, {len(messages)} there"

    def marking(self):
        """Flags and keywords go to the server and off it again."""
        uid = next(uid for uid, (_, flags, _) in self.inbox.items() if not flags & {"\\Seen", "\\Flagged", "$label2"})
        for what, step, arguments, flag in (
            ("read", "mark_read", (), "\\Seen"),
            ("star", "flag", (), "\\Flagged"),
            ("tag", "tag", ("$label2",), "$label2"),
            ("tag of its own", "tag", ("holiday",), "holiday"),
        ):
            for on in (True, False):
                name = f"{what} {'on' if on else 'off'}, on the server"

                def marked():
                    self.step(step, "INBOX", uid, *arguments, on)
                    reached = eventually(lambda: (flag in self.server.flags("INBOX", uid)) == on)
                    return reached, self.server.flags("INBOX", uid)

                self.attempt(name, marked)

    def deliver(self, name):
        """Mail by LMTP; gives its Message-ID."""
        identity = f"{name}-{self.security.lower()}@example.org"
        text = (
            f"From: Dora <dora@example.org>\r\nTo: {self.user}\r\nSubject: =?utf-8?Q?N=C3=A4chste?= {name}\r\n"
            f"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{identity}>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"The keyword is rhubarb-{name}, grün.\r\n.\r\n..two dots\r\n"
        )
        with smtplib.LMTP("127.0.0.1", LMTP_PORT, timeout=60) as lmtp:
            lmtp.sendmail("dora@example.org", [self.user], text.encode())
        return identity

    def pushed(self):
        """Nobody asks: the server tells."""
        started = time.monotonic()
        self.uid = self.step("wait_for", "INBOX", self.deliver("pushed"))
        seconds = time.monotonic() - started
        return seconds < IDLE_LIMIT_S and self.source(self.uid) == self.server.messages("INBOX")[self.uid][2], f"{seconds:.1f} s"

    def flag_pushed(self):
        """Another client's STORE."""
        self.server.imap.select("INBOX")
        self.server.imap.uid("STORE", str(self.uid), "+FLAGS", r"(\Flagged)")
        return eventually(lambda: self.step("messages", "INBOX")[str(self.uid)]["flagged"], IDLE_LIMIT_S)

    def expunge_pushed(self):
        """Another client's deletion.

        Thunderbird 153 overlooks an EXPUNGE that reaches it behind its own UID FETCH of a new message, where RFC 3501
        7.4.1 allows one, until it reads the folder again: such a round does not count.
        """
        for number in range(EXPUNGE_ROUNDS):
            uid = self.step("wait_for", "INBOX", self.deliver(f"fleeting{number}"))
            self.server.imap.select("INBOX")
            self.server.imap.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
            self.server.imap.expunge()
            if eventually(lambda: str(uid) not in self.step("messages", "INBOX"), EXPUNGE_LIMIT_S):
                return True
        return False, f"not in {EXPUNGE_ROUNDS} rounds"

    def searching(self):
        """Search on the server: Thunderbird's terms and what SEARCH finds by itself."""
        for what, terms, keys in (
            ("by subject", [("Subject", "Lunch")], ("SUBJECT", "Lunch")),
            ("by sender", [("Sender", "carol")], ("FROM", "carol")),
            ("by body", [("Body", "rhubarb-pushed")], ("BODY", "rhubarb-pushed")),
            ("by subject and body", [("Subject", "pushed"), ("Body", "rhubarb")], ("SUBJECT", "pushed", "BODY", "rhubarb")),
        ):
            def compared():
                found, wanted = set(self.step("search", "INBOX", terms)), self.server.found("INBOX", *keys)
                return found == wanted and found, f"{found} wanted {wanted}"

            self.attempt(f"searches on the server {what}", compared)
        self.attempt("searches on the server in UTF-8", self.search_umlauts)

    def search_umlauts(self):
        """A word that is encoded in the field and typed as it reads."""
        found = set(self.step("search", "INBOX", [("Subject", "nächste")]))
        return self.uid in found, found

    def filing(self):
        """Moves, copies and stores."""
        trash, sent = self.special["Trash"], self.special["Sent"]
        filed = "Archive" if "Archive" in SPECIAL else "Drafts"
        archive = self.special[filed]
        self.attempt("Delete moves to the wastebasket, bytes unchanged", lambda: self.moved(trash, lambda uid: self.step("remove", "INBOX", uid)))
        self.attempt(f"moves to {filed}, bytes unchanged", lambda: self.moved(archive, lambda uid: self.step("copy", "INBOX", uid, archive, True)))
        self.attempt("copies to Sent, bytes and flags unchanged", lambda: self.copied(sent))
        self.attempt("stores a message in Sent, bytes unchanged", lambda: self.appended(sent))

    def moved(self, target, move):
        """A message leaves INBOX and lies in the target once."""
        uid, (_, flags, source) = next((uid, facts) for uid, facts in self.server.messages("INBOX").items() if b"multipart/mixed" in facts[2])
        before = self.server.select(target)
        move(uid)
        gone = eventually(lambda: not self.server.found("INBOX", "UID", str(uid)))
        there = [facts for facts in self.server.messages(target).values() if facts[2] == source]
        kept = len(there) == 1 and there[0][1] - {"\\Recent"} == flags - {"\\Recent"}
        return gone and kept and self.server.select(target) == before + 1, f"gone {gone}, {[facts[:2] for facts in there]}, was {flags}"

    def copied(self, target):
        """A message is in both folders."""
        self.step("copy", "INBOX", self.uid, target, False)
        _, flags, source = self.server.messages("INBOX")[self.uid]
        there = eventually(lambda: [facts for facts in self.server.messages(target).values() if facts[2] == source])
        return len(there) == 1 and "\\Flagged" in flags & there[0][1], f"{[facts[:2] for facts in there]}, was {flags}"

    def appended(self, target):
        """APPEND, as of a copy of mail sent; the folder shows it too."""
        identity = f"appended-{self.security.lower()}@example.org"
        message = f"From: {self.user}\r\nTo: dora@example.org\r\nSubject: stored\r\nDate: Mon, 2 Mar 2026 11:00:00 +0000\r\nMessage-ID: <{identity}>\r\n\r\n"
        message = message.encode() + b"Dots:\r\n.\r\n..\r\nand a long end.\r\n" * 2000
        file = os.path.join(self.program.home, f"{self.security}.eml")
        with open(file, "wb") as out:
            out.write(message)
        self.step("append", target, file)
        there = [facts for facts in self.server.messages(target).values() if identity.encode() in facts[2]]
        self.step("refresh", target)
        self.step("wait_for", target, identity)
        return len(there) == 1 and there[0][2] == message and "\\Seen" in there[0][1], [facts[:2] for facts in there]

    def folder_life(self):
        """A name outside ASCII, in modified UTF-7 on the wire (RFC 3501 5.1.3)."""
        self.step("create_folder", "Entwürfe & mehr")
        made = "Entw&APw-rfe &- mehr" in self.server.folders()
        self.step("rename_folder", "Entw&APw-rfe &- mehr", "Größe")
        renamed = "Gr&APYA3w-e" in self.server.folders()
        self.step("delete_folder", "Gr&APYA3w-e")
        kept = f"{self.special['Trash']}/Gr&APYA3w-e"
        gone = eventually(lambda: kept in (now := self.server.folders()) and "Gr&APYA3w-e" not in now)
        return made and renamed and gone, f"made {made}, renamed {renamed}, gone {gone}: {self.server.folders()}"


def live():
    """Starts the program and lives both lives."""
    program = Thunderbird()
    try:
        program.start()
        for user, password, port, security in ACCOUNTS:
            program.step("trust", user, password, port, certificate(port, security))
        version = program.step("started")
        check(version, f"Thunderbird {version} starts")
        for user, password, _, security in ACCOUNTS:
            Life(program, user, password, security).run()
        attempt("Thunderbird quits", lambda: program.quit() == 0)
    finally:
        program.clean_up()


def main():
    """Everything, in bounded time; then the score."""

    def too_long(*_):
        raise TooLong(f"not done within {LIFE_LIMIT_S} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIFE_LIMIT_S)
    try:
        live()
    except (Exception, TooLong) as error:  # noqa: BLE001: whatever goes wrong is the finding
        check(False, "Thunderbird runs to its end", f"{type(error).__name__}: {error}")
    print(f"{SCORE[True]} passed, {SCORE[False]} failed")
    sys.exit(1 if SCORE[False] else 0)


main()
