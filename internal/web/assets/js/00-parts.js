// Parts that several pages use. Everything works without them.
(() => {
  'use strict'

  // Copy buttons appear where the browser can copy.
  for (const button of document.querySelectorAll('.js-copy')) {
    if (!navigator.clipboard) break
    button.hidden = false
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy)
      const label = button.querySelector('.sr-only')
      const before = label.textContent
      label.textContent = button.dataset.copied
      label.setAttribute('role', 'status')
      button.classList.add('copied')
      setTimeout(() => { label.textContent = before; button.classList.remove('copied') }, 2000)
    })
  }

  // A form behind a typed name cannot be sent before the name is right.
  for (const field of document.querySelectorAll('.js-typed')) {
    const button = field.form?.querySelector('button:not([type=button])')
    if (!button) continue
    const check = () => { button.disabled = field.value.trim() !== field.dataset.want }
    field.addEventListener('input', check)
    window.addEventListener('pageshow', check) // the way back brings along what was typed
    check()
  }

  // A menu closes when the focus leaves it, and by Escape.
  for (const menu of document.querySelectorAll('details.menu')) {
    menu.addEventListener('focusout', event => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false
    })
    menu.addEventListener('keydown', event => {
      if (event.key !== 'Escape') return
      menu.open = false
      menu.querySelector('summary').focus()
    })
  }
  document.addEventListener('click', event => {
    for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false
  })

  // Choices at the foot take effect at once.
  for (const select of document.querySelectorAll('.preferences select')) {
    select.addEventListener('change', () => select.form.submit())
  }
})()
