// What goes on in the site's administration is shown anew while the page is looked at.
(() => {
  'use strict'

  const seconds = 5
  const live = () => document.querySelectorAll('.js-live[id]')
  if (live().length === 0) return

  const again = async () => {
    if (!document.hidden) {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
      if (!answer.ok) return
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      for (const part of live()) {
        const next = page.getElementById(part.id)
        if (!next || part.contains(document.activeElement) && part !== document.activeElement) continue
        part.innerHTML = next.innerHTML
        part.className = next.className
      }
    }
    if (live().length > 0) setTimeout(again, seconds * 1000)
  }
  setTimeout(again, seconds * 1000)
})()
