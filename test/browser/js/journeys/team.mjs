// A team is given a role, and its member gets in.
export default async function (world) {
  await Promise.all([world.user('tia'), world.user('max')])
  await world.admin('org', 'create', 'works', '--owner', 'tia')
  await world.admin('org', 'member', 'add', 'works', 'max')
  await world.push('tia', 'image-1', 'works/app:1.0.0')
  const tia = await world.signedIn('tia'), max = await world.signedIn('max')
  const page = '/orgs/works/packages/container/package/app'
  if (await max.open(page) !== 404) throw new Error('a member without a role sees the package')

  await tia.open('/orgs/works/teams')
  await tia.find('summary', {hasText: tia.t('orgs.new-team')}).click()
  await tia.field('orgs.team-name').fill('Crew')
  await tia.shot('teams')
  await tia.button('orgs.create-team').click()
  await tia.at('/orgs/works/teams/crew')
  await tia.find('#add-login').fill('max')
  await tia.button('orgs.add-to-team').click()
  await tia.sees(tia.find('main').getByRole('link', {name: 'max'}).first())
  await tia.shot('team')

  await tia.open('/orgs/works/packages/container/app/settings')
  await tia.field('package-settings.who-or-team').fill('works/crew')
  await tia.find('#role').selectOption('read')
  await tia.button('package-settings.invite').click()
  await tia.done('package-granted')
  await tia.shot('package-settings')
  if (await max.open(page) !== 200) throw new Error('a member of the team does not see the package')
}
