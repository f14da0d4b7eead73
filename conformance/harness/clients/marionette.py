"""A small client of Marionette, the remote control inside Mozilla's programs.

The protocol is JSON over TCP; every packet is `LENGTH:JSON`. A command is `[0, ID, NAME, PARAMETERS]`, its answer
`[1, ID, ERROR, RESULT]`.
"""
import json
import socket


class ScriptFailure(Exception):
    """A script inside the program ended with an error."""


class Marionette:
    """One connection with a session that runs scripts with the rights of the program itself."""

    def __init__(self, port, script_limit_s):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=script_limit_s + 30)
        self.reader = self.socket.makefile("rb")
        self.next_id = 0
        self._packet()  # the greeting
        self.command("WebDriver:NewSession")
        self.command("WebDriver:SetTimeouts", {"script": script_limit_s * 1000})
        self.command("Marionette:SetContext", {"value": "chrome"})

    def command(self, name, parameters=None):
        """Sends one command and gives its result."""
        self.next_id += 1
        data = json.dumps([0, self.next_id, name, parameters or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(data), data))
        kind, answered, error, result = self._packet()
        if (kind, answered) != (1, self.next_id):
            raise ScriptFailure(f"answer {answered} to command {self.next_id}")
        if error:
            raise ScriptFailure(f"{name}: {error.get('error')}: {error.get('message')}")
        return result

    def run(self, body, *arguments):
        """Runs the body of an async function; `arguments` are its arguments, its value is the result."""
        script = (
            "const finish = arguments[arguments.length - 1];"
            f"(async (...arguments) => {{ {body} }})(...[...arguments].slice(0, -1))"
            ".then(value => finish({ value }), error => finish({ error: `${error} ${error?.stack ?? ''}` }));"
        )
        parameters = {"script": script, "args": list(arguments), "sandbox": "system", "newSandbox": False}
        result = self.command("WebDriver:ExecuteAsyncScript", parameters)["value"]
        if "error" in result:
            raise ScriptFailure(result["error"][:600])
        return result.get("value")

    def close(self):
        """Ends the connection."""
        self.reader.close()
        self.socket.close()

    def _packet(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.reader.read(1)
            if not byte:
                raise ScriptFailure("the program closed the connection")
            length += byte
        return json.loads(self.reader.read(int(length[:-1])))
