/* Passkeys: a button that asks the browser for one and posts its answer. Without scripts, or where the browser knows none, the button stays away. */

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function create({ publicKey }) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: known(publicKey.excludeCredentials),
      /* One that the device finds by itself, where it can, so that it opens the account without a password too. */
      authenticatorSelection: { ...publicKey.authenticatorSelection, residentKey: "preferred", requireResidentKey: false },
    },
  });
  return {
    ...frame(made),
    response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) },
  };
}

async function get({ publicKey }) {
  const found = await navigator.credentials.get({
    publicKey: { ...publicKey, challenge: bytes(publicKey.challenge), allowCredentials: known(publicKey.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return {
    ...frame(found),
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}

function frame(credential) {
  return { type: credential.type, id: credential.id, rawId: text(credential.rawId), clientExtensionResults: credential.getClientExtensionResults() };
}

async function optionsFor(form) {
  const written = document.getElementById("passkey-options");
  if (written) return JSON.parse(written.textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  return (await answer.json()).request_options;
}

function enhance(button) {
  const form = button.form;
  button.hidden = false;
  form.hidden = false;
  form.querySelector("[data-no-passkeys]")?.remove();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const failed = form.querySelector("[data-passkey-failed]");
    failed.hidden = true;
    button.disabled = true;
    try {
      const ask = button.dataset.passkey === "create" ? create : get;
      form.elements.credential.value = JSON.stringify(await ask(await optionsFor(form)));
      form.submit();
    } catch {
      failed.hidden = false; /* the person turned away, or the browser has nothing that fits */
      button.disabled = false;
    }
  });
}

if (window.PublicKeyCredential) document.querySelectorAll("[data-passkey]").forEach(enhance);
