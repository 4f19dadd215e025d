// Lists of packages: the filter answers at once, and the first push is waited for.
(() => {
  'use strict'

  const form = document.querySelector('.js-filter')
  if (form && document.querySelector('.js-list')) filter(form)

  // Rows on the page are filtered as one types; then the server is asked at the
  // address that the form leads to. Its count is read out where it is shown.
  function filter(form) {
    const field = form.elements.q
    const address = () => {
      const q = new URLSearchParams(new FormData(form))
      for (const [name, value] of [...q]) if (value === '') q.delete(name)
      return form.getAttribute('action') + (q.size ? '?' + q : '')
    }
    let timer, under
    const narrow = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(word => word && !/[:"]/.test(word))
      for (const row of document.querySelectorAll('.js-list .js-row')) {
        row.hidden = !words.every(word => row.dataset.name.includes(word))
      }
    }
    const ask = async () => {
      under?.abort()
      under = new AbortController()
      const at = address(), list = document.querySelector('.js-list')
      list.setAttribute('aria-busy', 'true')
      try {
        const answer = await fetch(at, { signal: under.signal, credentials: 'same-origin' })
        if (!answer.ok) return // half a query; the button tells what is wrong
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
        const fresh = page.querySelector('.js-list'), count = page.querySelector('.js-count')
        if (!fresh || !count) return
        list.replaceWith(document.adoptNode(fresh))
        document.querySelector('.js-count').textContent = count.textContent
        history.replaceState(null, '', at)
      } catch (failure) {
        if (failure.name !== 'AbortError') form.submit()
      } finally {
        list.removeAttribute('aria-busy')
      }
    }
    field.addEventListener('input', () => {
      narrow()
      clearTimeout(timer)
      timer = setTimeout(ask, 250)
    })
    for (const select of form.querySelectorAll('select')) select.addEventListener('change', ask)
  }

  // The page turns into that of the first package when it is there. It asks every
  // two seconds, less and less often, and not while nobody looks.
  for (const steps of document.querySelectorAll('.js-first-push')) {
    const status = steps.querySelector('.js-waiting')
    const first = 2000, longest = 30000
    let wait = first, timer, asking = false
    const ask = async () => {
      timer = undefined
      if (document.hidden || asking) return
      asking = true
      try {
        const answer = await fetch(steps.dataset.poll, { credentials: 'same-origin' })
        if (!answer.ok) return // signed out, perhaps
        const { path } = await answer.json()
        if (path) {
          status.textContent = status.dataset.arrived
          location.assign(path)
          return
        }
        wait = Math.min(wait * 1.1, longest)
      } catch {
        wait = longest
      } finally {
        asking = false
      }
      timer = setTimeout(ask, wait)
    }
    document.addEventListener('visibilitychange', () => {
      if (document.hidden || timer || asking) return
      wait = first
      ask()
    })
    status.textContent = status.dataset.waiting
    timer = setTimeout(ask, wait)
  }
})()
