package packagepage

import (
	"time"

	"packhouse/internal/oci"
)

// layer is one line of an image's layers: a layer, or a step that made none.
type layer struct {
	Digest    oci.Digest // zero for a step without a layer
	Size      int64
	MediaType string
	// From are the addresses of a foreign layer.
	From    []string
	Foreign bool
	Command string
	Created time.Time
	Empty   bool
}

// maxLayers is how many lines are shown.
const maxLayers = 500

// layersOf lists the layers with the steps that made them. A history that does
// not fit the layers is left out: it would stand beside the wrong ones.
func layersOf(m *oci.Manifest, history []historyLine) (list []layer, more int64) {
	made := 0
	for _, h := range history {
		if !h.Empty {
			made++
		}
	}
	next := 0
	take := func(h historyLine) {
		d := m.Layers[next]
		next++
		list = append(list, layer{
			Digest: d.Digest, Size: d.Size, MediaType: shown(d.MediaType), From: shownAll(d.URLs), Foreign: oci.IsForeignLayer(d.MediaType),
			Command: h.Command, Created: h.Created,
		})
	}
	if made != len(m.Layers) {
		history = make([]historyLine, len(m.Layers))
	}
	for _, h := range history {
		if h.Empty {
			list = append(list, layer{Command: h.Command, Created: h.Created, Empty: true})
			continue
		}
		take(h)
	}
	if len(list) > maxLayers {
		return list[:maxLayers], int64(len(list) - maxLayers)
	}
	return list, 0
}
