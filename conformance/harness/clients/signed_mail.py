#!/usr/bin/python3
"""Signed and encrypted mail on its way through submission, queue, LMTP, store and IMAP, checked by the programs that
people check it with: dkimpy, GnuPG and OpenSSL.

usage: signed_mail.py IMAP SUBMISSION LMTP FROM PASSWORD TO PASSWORD FOLDER     (ports, accounts, scratch space)

Prints `  ok   what` or `  FAIL what | why` for every check.
"""
import base64
import imaplib
import os
import smtplib
import subprocess
import sys
import time

import dkim

IMAP, SUBMISSION, LMTP = (int(port) for port in sys.argv[1:4])
SENDER, SENDER_PASSWORD, RECIPIENT, RECIPIENT_PASSWORD, FOLDER = sys.argv[4:9]
DOMAIN = SENDER.rpartition("@")[2].encode()
GNUPG = os.path.join(FOLDER, "gnupg")
ARRIVAL_LIMIT_S = 60

# What transports like to change: dots, spaces at line ends, long lines, "From ", 8-bit octets, no text at the end.
BODY = (
    b"A line.\r\n.begins with a dot\r\n..two dots\r\nspaces at the end   \r\n\ttabs\t\r\n\r\nFrom here on\r\n"
    + "gr\u00fc\u00dfe \u4f60\u597d\r\n".encode()
    + b"x" * 990
    + b"\r\n-- \r\n\r\n\r\n"
)


def run(*words, data=b""):
    """Runs a program; what it wrote, or an error with what it complained of."""
    done = subprocess.run(words, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{words[0]}: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout


def in_folder(name, data=None):
    """The path of a scratch file, written first if there is something to write."""
    path = os.path.join(FOLDER, name)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)
    return path


def message(subject, fields, body):
    """A message of the sender's to the recipient."""
    head = (
        f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: {subject}\r\nDate: Thu, 26 Nov 2026 12:00:00 +0000\r\n"
        f"Message-ID: <{subject}@example.test>\r\nMIME-Version: 1.0\r\n"
    )
    return head.encode() + fields + b"\r\n" + body


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"


def two_parts(kind, first, second):
    """The fields and body of a multipart of these two."""
    fields = b"Content-Type: multipart/" + kind + b'; boundary="=-signed"\r\n'
    body = b"A preamble.\r\n--=-signed\r\n" + first + b"\r\n--=-signed\r\n" + second + b"\r\n--=-signed--\r\nAn epilogue.\r\n"
    return fields, body


def parts(received):
    """The two parts, octet by octet."""
    _, first, second = received.split(b"--=-signed--\r\n")[0].split(b"--=-signed\r\n")
    return first[:-2], second[:-2]


def body_of(part):
    """What follows a part's header."""
    return part.split(b"\r\n\r\n", 1)[1]


# --- DKIM ---------------------------------------------------------------------------------------------------------

def dkim_keys():
    """A private key, and the record that DNS would have of its public half."""
    key = run("openssl", "genrsa", "-traditional", "2048")
    public = run("openssl", "rsa", "-pubout", "-outform", "DER", data=key)
    return key, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def dkim_case(canonicalization):
    """A signed message, and how it is checked."""
    key, record = dkim_keys()
    plain = message(f"dkim-{canonicalization}", PLAIN, BODY)
    first, _, second = canonicalization.partition("-")
    headers = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
    field = dkim.sign(
        plain, b"test", DOMAIN, key, canonicalize=(first.encode(), second.encode()), include_headers=headers
    )

    def verify(received):
        assert dkim.verify(received, dnsfunc=lambda name, timeout=5: record), "the signature is broken"
        altered = received.replace(b"A line.", b"A lime.")
        assert not dkim.verify(altered, dnsfunc=lambda name, timeout=5: record), "an altered message passes"

    return field + plain, verify


# --- OpenPGP ------------------------------------------------------------------------------------------------------

def gpg(*words, data=b""):
    """GnuPG with a home of its own."""
    return run("gpg", "--homedir", GNUPG, "--batch", "--quiet", "--trust-model", "always", *words, data=data)


def pgp_signed():
    """PGP/MIME, signed (RFC 3156 5)."""
    part = PLAIN + b"\r\n" + BODY
    signature = gpg("--armor", "--detach-sign", "--local-user", SENDER, data=part).replace(b"\n", b"\r\n")
    second = b"Content-Type: application/pgp-signature\r\n\r\n" + signature
    kind = b'signed; micalg=pgp-sha512; protocol="application/pgp-signature"'

    def verify(received):
        signed, signature = parts(received)
        paths = in_folder("pgp.sig", body_of(signature)), in_folder("pgp.part", signed)
        gpg("--verify", *paths)

    return message("pgp-signed", *two_parts(kind, part, second)), verify


def pgp_encrypted():
    """PGP/MIME, encrypted (RFC 3156 4)."""
    secret = PLAIN + b"\r\n" + BODY
    hidden = gpg("--armor", "--encrypt", "--recipient", SENDER, data=secret).replace(b"\n", b"\r\n")
    first = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    second = b"Content-Type: application/octet-stream\r\n\r\n" + hidden
    kind = b'encrypted; protocol="application/pgp-encrypted"'

    def verify(received):
        assert gpg("--decrypt", data=body_of(parts(received)[1])) == secret, "something else comes out"

    return message("pgp-encrypted", *two_parts(kind, first, second)), verify


# --- S/MIME -------------------------------------------------------------------------------------------------------

def certificate():
    """A certificate and its key, as files."""
    key, cert = in_folder("smime.key"), in_folder("smime.pem")
    if not os.path.exists(cert):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=sender",
            "-addext", f"subjectAltName=email:{SENDER}", "-keyout", key, "-out", cert)
    return key, cert


def smime_signed():
    """S/MIME, with the signature beside what is signed (RFC 8551 3.5.3)."""
    key, cert = certificate()
    part = PLAIN + b"\r\n" + BODY
    signature = run("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", cert, "-inkey", key, data=part)
    second = (
        b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.encodebytes(signature).replace(b"\n", b"\r\n")
    )
    kind = b'signed; micalg=sha-256; protocol="application/pkcs7-signature"'

    def verify(received):
        signed, signature = parts(received)
        paths = in_folder("p7s", base64.b64decode(body_of(signature))), in_folder("smime.part", signed)
        run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", paths[0], "-content", paths[1],
            "-CAfile", cert, "-purpose", "any")

    return message("smime-signed", *two_parts(kind, part, second)), verify


def smime_opaque(name, *words):
    """S/MIME in one part that holds everything (RFC 8551 3.4.2, 3.3)."""
    key, cert = certificate()
    part = PLAIN + b"\r\n" + BODY
    made = run("openssl", "cms", *words, "-binary", "-outform", "DER", *_whom(words, key, cert), data=part)
    fields = (
        b'Content-Type: application/pkcs7-mime; smime-type=' + name + b'; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
    )

    def verify(received):
        path = in_folder("p7m", base64.b64decode(body_of(received)))
        if name == b"enveloped-data":
            got = run("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path, "-recip", cert, "-inkey", key)
        else:
            got = run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path, "-CAfile", cert,
                      "-purpose", "any")
        assert got == part, "something else comes out"

    return message(f"smime-{name.decode()}", fields, base64.encodebytes(made).replace(b"\n", b"\r\n")), verify


def _whom(words, key, cert):
    """By whom it is signed, or for whom it is encrypted."""
    return ("-signer", cert, "-inkey", key) if "-sign" in words else (cert,)


# --- the ways -----------------------------------------------------------------------------------------------------

def by_submission(sent):
    """Handed in by the sender, with a blind copy that must be taken out without a trace."""
    with smtplib.SMTP("127.0.0.1", SUBMISSION) as client:
        client.login(SENDER, SENDER_PASSWORD)
        client.sendmail(SENDER, [RECIPIENT], b"Bcc: hidden@example.org\r\n" + sent, ["BODY=8BITMIME"])


def by_lmtp(sent):
    """Delivered by a mail server."""
    with smtplib.LMTP("127.0.0.1", LMTP) as client:
        client.sendmail(SENDER, [RECIPIENT], sent, ["BODY=8BITMIME"])


def received_one():
    """The one message in the recipient's INBOX, which is empty afterwards."""
    with imaplib.IMAP4("127.0.0.1", IMAP) as client:
        client.login(RECIPIENT, RECIPIENT_PASSWORD)
        client.select("INBOX")
        end = time.monotonic() + ARRIVAL_LIMIT_S
        while not client.search(None, "ALL")[1][0] and time.monotonic() < end:
            client.noop()
            time.sleep(0.05)
        numbers = client.search(None, "ALL")[1][0].split()
        assert len(numbers) == 1, f"{len(numbers)} messages"
        octets = client.fetch(numbers[0], "(BODY.PEEK[])")[1][0][1]
        client.store(numbers[0], "+FLAGS", "\\Deleted")
        client.expunge()
        return octets


def main():
    """Every kind of message by every way."""
    os.makedirs(GNUPG, mode=0o700)
    gpg("--passphrase", "", "--quick-generate-key", SENDER, "default", "default", "never")
    cases = [dkim_case(name) for name in ("simple-simple", "relaxed-relaxed", "relaxed-simple")]
    cases += [pgp_signed(), pgp_encrypted(), smime_signed()]
    cases += [smime_opaque(b"signed-data", "-sign", "-nodetach"), smime_opaque(b"enveloped-data", "-encrypt", "-aes256")]
    for sent, verify in cases:
        subject = sent.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
        for way in (by_submission, by_lmtp):
            what = f"{subject} {way.__name__.replace('_', ' ')}"
            try:
                way(sent)
                received = received_one()
                assert received.endswith(sent), "the message was altered"
                verify(received)
                print(f"  ok   {what}", flush=True)
            except Exception as error:  # noqa: BLE001: whatever a program says is the finding
                print(f"  FAIL {what} | {type(error).__name__}: {str(error)[:300]}", flush=True)
    subprocess.run(["gpgconf", "--homedir", GNUPG, "--kill", "all"], check=False)


main()
