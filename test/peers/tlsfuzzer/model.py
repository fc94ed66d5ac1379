"""Words for what is run: servers, scripts, and the conversations that are known not to pass."""

import shlex


class Reason:
    """Why conversations do not pass. The kinds: "absent", they are about something that handfast does
    not offer; "differs", the script asks for something else than the RFC; "suite", tlsfuzzer errs."""

    def __init__(self, kind, text, sometimes=False):
        self.kind, self.text, self.sometimes = kind, " ".join(text.split()), sometimes


class Group:
    """A kind of server: its certificate (None: it has none), and the arguments of both programs. openssl
    None: s_server cannot be such a server."""

    def __init__(self, name, cert, handfast, openssl):
        self.name, self.cert, self.handfast, self.openssl = name, cert, handfast, openssl


class Run:
    def __init__(self, group, script, arguments=(), known=None, openssl=None, limit=120, tag=""):
        self.group, self.script, self.arguments, self.tag = group, script, list(arguments), tag
        self.known, self.limit = known or {}, limit
        self.openssl = openssl  # arguments against openssl s_server, where they differ

    def arguments_for(self, against):
        return self.openssl if against == "openssl" and self.openssl is not None else self.arguments

    def title(self):
        """A name that tells apart the runs of one script."""
        key = next((a.split("client-")[1][:-4] for a in self.arguments if a.endswith(".pem")), "")
        tag = self.tag or key
        return f"{self.group.name}: {self.script}" + (f" ({tag})" if tag else "")

    def shown(self):
        words = [shlex.quote(a).replace("{folder}/", "") for a in self.arguments]
        return " ".join("..." if w.startswith(("'ecdsa_", "AAAA")) else w for w in words)


def plain(rule):
    """An expression, as it is shown in the document."""
    return "`" + rule.replace("|", "\\|") + "`"
