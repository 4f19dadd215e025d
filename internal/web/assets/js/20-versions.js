// The list of versions: an instant filter, and no more choices than can be compared.
(() => {
  'use strict'

  const form = document.querySelector('.js-versions')
  if (!form) return

  const rows = [...form.querySelectorAll('.version-row')]
  const filter = form.querySelector('.js-versions-filter')
  if (filter) {
    filter.hidden = false
    const field = filter.querySelector('input')
    const narrow = () => {
      const text = field.value.trim().toLowerCase()
      for (const row of rows) row.hidden = !row.dataset.text.toLowerCase().includes(text)
    }
    field.addEventListener('input', narrow)
    window.addEventListener('pageshow', narrow)
    field.addEventListener('keydown', event => { if (event.key === 'Enter') event.preventDefault() })
  }

  const compare = form.querySelector('button[value=compare]')
  const remove = form.querySelector('button[value=delete]')
  const check = () => {
    const chosen = form.querySelectorAll('.version-choice:checked').length
    if (compare) compare.disabled = chosen !== 2
    if (remove) remove.disabled = chosen === 0
  }
  form.addEventListener('change', check)
  window.addEventListener('pageshow', check) // the way back brings choices along
  check()
})()
