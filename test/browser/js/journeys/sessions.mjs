// Signing out everywhere ends the session in the other browser, too.
export default async function (world) {
  await world.user('sam')
  const home = await world.signedIn('sam'), work = await world.signedIn('sam')
  await home.open('/settings/sessions')
  await home.shot('sessions')
  await home.button('sessions.end-all').click()
  await home.sees(home.link('frame.sign-in'))
  await work.open('/settings/sessions')
  await work.at('/login')
}
