// Package seeds holds no code of its own: its tests act out, with the docker
// client, what the documents say that this registry implements. docs/seeds.md
// maps their statements to the scenarios here.
package seeds
