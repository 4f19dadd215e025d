// The day on which a token ends is asked for when one is chosen.
(() => {
  'use strict'
  const choice = document.querySelector('.js-expires')
  const until = document.querySelector('.js-until')
  if (!choice || !until) return
  const show = () => { until.hidden = choice.value !== 'custom' }
  choice.addEventListener('change', show)
  window.addEventListener('pageshow', show) // the way back brings the choice along
  show()
})()
