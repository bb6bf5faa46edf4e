// Passkeys need a script: the browser hands them to nothing else. The form
// carries what the browser is asked and sends its answer on like any field;
// whoever has no script, or no passkey, signs in with a password.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (s) => {
    const raw = atob(s.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
  };
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const list = (keys) => (keys || []).map((k) => ({ ...k, id: bytes(k.id) }));

  // What newer browsers do by themselves [WebAuthn §5.1.8, §5.1.9].
  const create = (o) => navigator.credentials.create({ publicKey: {
    ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: list(o.excludeCredentials),
  } });
  const get = (o) => navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: list(o.allowCredentials) } });

  const answer = (c) => {
    const r = c.response, out = { clientDataJSON: text(r.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (r[name]) out[name] = text(r[name]);
    }
    if (r.getTransports) out.transports = r.getTransports();
    return JSON.stringify({
      id: c.id, rawId: text(c.rawId), type: c.type, response: out, clientExtensionResults: {},
      authenticatorAttachment: c.authenticatorAttachment || undefined,
    });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const field = form.elements.namedItem("passkey");
    const said = form.querySelector("[data-said]");
    form.hidden = false;
    for (const e of document.querySelectorAll("[data-without-script]")) e.hidden = true;
    let busy = false;
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      if (busy) return;
      busy = true;
      said.textContent = "";
      try {
        const asked = JSON.parse(form.dataset.passkey);
        field.value = answer(await (form.dataset.make ? create(asked) : get(asked)));
        form.submit();
      } catch (why) {
        // The person has said no, or waited too long, or the key is there already.
        said.textContent = why.name === "InvalidStateError" ? form.dataset.twice || form.dataset.failed : form.dataset.failed;
        busy = false;
      }
    });
  }
})();
