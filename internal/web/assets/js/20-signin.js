// Passkeys. Their buttons appear where the browser has some; what an authenticator
// answers is sent in a field of an ordinary form.
(() => {
  'use strict'
  if (!window.PublicKeyCredential || !navigator.credentials) return

  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0))
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

  // Ids and challenges are bytes for the browser, and text on the way.
  function options(json) {
    const o = json.publicKey
    o.challenge = bytes(o.challenge)
    if (o.user) o.user.id = bytes(o.user.id)
    for (const list of [o.allowCredentials, o.excludeCredentials]) {
      for (const c of list || []) c.id = bytes(c.id)
    }
    return { publicKey: o }
  }

  function answer(credential) {
    const r = credential.response
    const response = { clientDataJSON: text(r.clientDataJSON) }
    if (r.attestationObject) {
      response.attestationObject = text(r.attestationObject)
      response.transports = r.getTransports ? r.getTransports() : []
    } else {
      response.authenticatorData = text(r.authenticatorData)
      response.signature = text(r.signature)
      if (r.userHandle) response.userHandle = text(r.userHandle)
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: {},
      response
    })
  }

  for (const form of document.querySelectorAll('.js-passkey')) {
    form.hidden = false
    const field = form.elements[form.dataset.field]
    const problem = form.querySelector('.js-passkey-problem')
    const button = form.querySelector('button')
    form.addEventListener('submit', async event => {
      event.preventDefault()
      problem.hidden = true
      button.disabled = true
      try {
        const res = await fetch(form.dataset.options, { method: 'POST', redirect: 'error' })
        if (res.ok && res.headers.get('Content-Type').startsWith('text/html')) { // who sits there is to be shown again
          location.assign('/sessions/sudo?return_to=' + encodeURIComponent(location.pathname))
          return
        }
        if (!res.ok || !res.headers.get('Content-Type').startsWith('application/json')) throw new Error(res.status)
        const asked = options(await res.json())
        const made = form.dataset.ceremony === 'create'
          ? await navigator.credentials.create(asked)
          : await navigator.credentials.get(asked)
        field.value = answer(made)
        form.submit()
      } catch {
        problem.hidden = false
        button.disabled = false
      }
    })
  }
})()
