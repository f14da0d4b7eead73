// What thunderbird.py runs inside Thunderbird, with its own interfaces: one object of async functions.

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");

const WAIT_MS = 60_000;
const POLL_MS = 50;

/** Looks at a condition until it holds. */
async function until(what, holds) {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const value = await holds();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${WAIT_MS / 1000} s`);
    }
    await new Promise(resolve => mainWindow().setTimeout(resolve, POLL_MS));
  }
}

function mainWindow() {
  return Services.wm.getMostRecentWindow("mail:3pane");
}

function mailPane() {
  return mainWindow().document.getElementById("tabmail").currentAbout3Pane;
}

function serverOf(user) {
  const server = MailServices.accounts.allServers.find(one => one.type == "imap" && one.username == user);
  if (!server) {
    throw new Error(`no account of ${user}`);
  }
  return server;
}

function folderAt(user, path) {
  const folder = serverOf(user).rootFolder.descendants.find(one => pathOf(one) == path);
  if (!folder) {
    throw new Error(`no folder ${path} of ${user}`);
  }
  return folder;
}

function pathOf(folder) {
  return folder.QueryInterface(Ci.nsIMsgImapMailFolder).onlineName;
}

function headerOf(folder, uid) {
  const header = folder.msgDatabase.getMsgHdrForKey(uid);
  if (!header) {
    throw new Error(`no message ${uid} in ${pathOf(folder)}`);
  }
  return header;
}

/** Resolves when an URL of the IMAP code has been run. */
function ended(start) {
  return new Promise((resolve, reject) =>
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
      OnStartRunningUrl() {},
      OnStopRunningUrl(url, status) {
        Components.isSuccessCode(status) ? resolve() : reject(new Error(`status ${status.toString(16)}`));
      },
    })
  );
}

/** Resolves when a copy service's operation has been done. */
function copied(start) {
  return new Promise((resolve, reject) =>
    start({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
      onStartCopy() {},
      onProgress() {},
      setMessageKey() {},
            onStopCopy(status) {
        Components.isSuccessCode(status) ? resolve() : reject(new Error(`status ${status.toString(16)}`));
      },
    })
  );
}

function search(folder, terms) {
  const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
  session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder);
  for (const [attribute, text] of terms) {
    const term = session.createTerm();
    term.attrib = Ci.nsMsgSearchAttrib[attribute];
    term.op = Ci.nsMsgSearchOp.Contains;
    const value = term.value;
    value.attrib = term.attrib;
    value.str = text;
    term.value = value;
    term.booleanAnd = true;
    session.appendTerm(term);
  }
  return new Promise((resolve, reject) => {
    const found = [];
    session.registerListener({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
      onSearchHit: header => found.push(header.messageKey),
      onSearchDone: status =>
        Components.isSuccessCode(status) ? resolve(found) : reject(new Error(`status ${status.toString(16)}`)),
      onNewSearch() {},
    });
    session.search(null);
  });
}

globalThis.steps = {
  /** Trusts the server's self-signed certificate and stores the password. */
  async trust(user, password, port, certificate) {
    const store = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
    const overrides = Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService);
    overrides.rememberValidityOverride("127.0.0.1", port, {}, store.constructX509FromBase64(certificate), true);
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    login.init("imap://127.0.0.1", null, "imap://127.0.0.1", user, password, "", "");
    await Services.logins.addLoginAsync(login);
  },

  /** The main window is there and idle. */
  async started() {
    await until("the main window", () => mainWindow()?.document.readyState == "complete");
    await until("the mail tab", () => mailPane()?.document.readyState == "complete" && mailPane().displayFolder);
    return Services.appinfo.version;
  },

  /** "Get Messages": logs in and reads the folder list; gives path to special use. */
  async folders(user) {
    const server = serverOf(user);
    const uses = { Inbox: "Inbox", Sent: "SentMail", Trash: "Trash", Drafts: "Drafts", Junk: "Junk", Archive: "Archive" };
    server.getNewMessages(server.rootFolder, mainWindow().msgWindow, null);
    const path = {};
    await until("the special folders", () => {
      for (const folder of server.rootFolder.descendants) {
        const has = flag => folder.getFlag(Ci.nsMsgFolderFlags[flag]);
        path[pathOf(folder)] = Object.keys(uses).filter(use => has(uses[use]));
      }
      return Object.values(path).flat().length >= Object.keys(uses).length;
    }).catch(() => {});
    return path;
  },

  /** Shows a folder in the main window and waits until it has been read; every message has a row, threads closed or not. */
  async open(user, path, count) {
    const folder = folderAt(user, path);
    mainWindow().document.getElementById("tabmail").currentTabInfo.folder = folder;
    await until(`${count} messages in ${path}`, () => folder.getTotalMessages(false) == count);
    return until("the rows of the message list", () => mailPane().gDBView?.numMsgsInView >= count);
  },

  /** What the message list knows: UID to facts. */
  async messages(user, path) {
    const known = {};
    for (const header of folderAt(user, path).messages) {
      known[header.messageKey] = {
        id: header.messageId,
        subject: header.mime2DecodedSubject,
        author: header.mime2DecodedAuthor,
        size: header.messageSize,
        seen: header.isRead,
        flagged: header.isFlagged,
        keywords: header.getStringProperty("keywords").split(" ").filter(Boolean).sort(),
        attachment: Boolean(header.flags & Ci.nsMsgMessageFlags.Attachment),
      };
    }
    return known;
  },

  /** Asks the server what is new, as the button does. */
  async refresh(user, path) {
    const folder = folderAt(user, path).QueryInterface(Ci.nsIMsgImapMailFolder);
    await ended(listener => folder.updateFolderWithListener(null, listener));
    return folder.getTotalMessages(false);
  },

  /** The message as sent, in base64. */
  async source(user, path, uid) {
    const folder = folderAt(user, path);
    const uri = folder.getUriForMsg(headerOf(folder, uid));
    const service = MailServices.messageServiceFromURI(uri);
    return new Promise((resolve, reject) => {
      let all = "";
      service.streamMessage(
        uri,
        {
          QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"]),
          onStartRequest() {},
          onDataAvailable(request, stream, offset, count) {
            const input = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
            input.setInputStream(stream);
            all += input.readBytes(count);
          },
          onStopRequest(request, status) {
            Components.isSuccessCode(status) ? resolve(btoa(all)) : reject(new Error(`status ${status.toString(16)}`));
          },
        },
        null, null, false, "", false
      );
    });
  },

  /** Clicks a message in the list; gives what the reader shows and its attachments. */
  async show(user, path, uid) {
    const folder = folderAt(user, path);
    const pane = mailPane();
    const row = pane.gDBView.findIndexOfMsgHdr(headerOf(folder, uid), true);
    pane.threadTree.selectedIndex = row;
    const reader = await until("the message reader", () => pane.messageBrowser?.contentWindow);
    await until("the message in the reader", () => reader.gMessage?.messageKey == uid && reader.msgLoaded);
    const attachments = [];
    for (const one of reader.currentAttachments ?? []) {
      attachments.push({ name: one.name, data: new Uint8Array(await one.fetchAttachment()).toBase64() });
    }
    return {
      text: reader.getMessagePaneBrowser().contentDocument.body.textContent,
      subject: reader.document.getElementById("expandedsubjectBox").textContent,
      attachments,
    };
  },

  async mark_read(user, path, uid, read) {
    const folder = folderAt(user, path);
    folder.markMessagesRead([headerOf(folder, uid)], read);
  },

  async flag(user, path, uid, on) {
    const folder = folderAt(user, path);
    folder.markMessagesFlagged([headerOf(folder, uid)], on);
  },

  async tag(user, path, uid, keyword, on) {
    const folder = folderAt(user, path);
    const headers = [headerOf(folder, uid)];
    on ? folder.addKeywordsToMessages(headers, keyword) : folder.removeKeywordsFromMessages(headers, keyword);
  },

  /** The Delete key: moves to the wastebasket. */
  async remove(user, path, uid) {
    const folder = folderAt(user, path);
    await copied(listener => folder.deleteMessages([headerOf(folder, uid)], null, false, false, listener, true));
  },

  async copy(user, path, uid, target, move) {
    const from = folderAt(user, path);
    const to = folderAt(user, target);
    await copied(listener => MailServices.copy.copyMessages(from, [headerOf(from, uid)], to, move, listener, null, true));
  },

  /** Stores a file as a message: what happens to a copy of mail sent. */
  async append(user, path, file) {
    const source = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
    source.initWithPath(file);
    const seen = Ci.nsMsgMessageFlags.Read;
    const to = folderAt(user, path);
    await copied(listener => MailServices.copy.copyFileMessage(source, to, null, false, seen, "", listener, null));
  },

  /** Searches on the server. */
  async search(user, path, terms) {
    return search(folderAt(user, path), terms);
  },

  /** Waits, asking nothing, until a message with this Message-ID is in the list. */
  async wait_for(user, path, id) {
    const folder = folderAt(user, path);
    const header = await until(`message ${id}`, () => folder.msgDatabase.getMsgHdrForMessageID(id));
    return header.messageKey;
  },

  async create_folder(user, name) {
    serverOf(user).rootFolder.createSubfolder(name, null);
    await until(`folder ${name}`, () => serverOf(user).rootFolder.descendants.some(one => one.name == name));
  },

  async rename_folder(user, path, name) {
    folderAt(user, path).rename(name, null);
    await until(`folder ${name}`, () => serverOf(user).rootFolder.descendants.some(one => one.name == name));
  },

  /** Deletes a folder: it goes to the wastebasket with all that is in it. */
  async delete_folder(user, path) {
    folderAt(user, path).deleteSelf(null);
    await until(`no folder ${path}`, () => !serverOf(user).rootFolder.descendants.some(one => pathOf(one) == path));
  },

  async quit() {
    mainWindow().setTimeout(() => Services.startup.quit(Ci.nsIAppStartup.eForceQuit), 0);
  },
};
