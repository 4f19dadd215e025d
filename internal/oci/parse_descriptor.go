package oci

import "bytes"

// str reads a string that is kept.
func (p *parser) str() (string, *fault) {
	b, f := p.text()
	return string(b), f
}

func (p *parser) annotations() (map[string]string, *fault) {
	if p.null() {
		return nil, nil
	}
	all := make(map[string]string)
	f := p.object(func(name []byte) *fault {
		value, f := p.str()
		all[string(name)] = value
		return f
	})
	return all, f
}

func (p *parser) stringList() ([]string, *fault) {
	if p.null() {
		return nil, nil
	}
	var all []string
	f := p.array(func() *fault {
		s, f := p.str()
		all = append(all, s)
		return f
	})
	return all, f
}

func (p *parser) descriptorList() ([]Descriptor, *fault) {
	if p.null() {
		return nil, nil
	}
	var all []Descriptor
	f := p.array(func() *fault {
		all = append(all, Descriptor{})
		return p.descriptor(&all[len(all)-1])
	})
	return all, f
}

func (p *parser) optionalDescriptor() (*Descriptor, *fault) {
	if p.null() {
		return nil, nil
	}
	d := &Descriptor{}
	return d, p.descriptor(d)
}

func (p *parser) descriptor(d *Descriptor) *fault {
	if p.descriptors++; p.descriptors > MaxDescriptors {
		return faultf("more than %d descriptors in one manifest", MaxDescriptors)
	}
	d.Size = -1
	if f := p.object(func(name []byte) *fault { return p.descriptorMember(d, name) }); f != nil {
		return f
	}
	switch {
	case d.MediaType == "":
		return faultf("mediaType is missing")
	case d.Digest.IsZero():
		return faultf("digest is missing")
	case d.Size < 0:
		return faultf("size is missing")
	}
	return p.account(d)
}

func (p *parser) descriptorMember(d *Descriptor, name []byte) (f *fault) {
	switch string(name) {
	case "mediaType":
		d.MediaType, f = p.str()
	case "digest":
		d.Digest, f = p.digest()
	case "size":
		d.Size, f = p.integer()
	case "urls":
		d.URLs, f = p.stringList()
	case "annotations":
		d.Annotations, f = p.annotations()
	case "data":
		f = p.base64()
	case "platform":
		d.Platform, f = p.platform()
	case "artifactType":
		d.ArtifactType, f = p.str()
	default:
		f = p.unknown(name, "mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType")
	}
	return f
}

func (p *parser) digest() (Digest, *fault) {
	s, f := p.str()
	if f != nil {
		return Digest{}, f
	}
	if problem := digestProblem(s); problem != "" {
		return Digest{}, faultf("%s", problem)
	}
	return Digest{s}, nil
}

func (p *parser) platform() (*Platform, *fault) {
	if p.null() {
		return nil, nil
	}
	pl := &Platform{}
	return pl, p.object(func(name []byte) (f *fault) {
		switch string(name) {
		case "architecture":
			pl.Architecture, f = p.str()
		case "os":
			pl.OS, f = p.str()
		case "os.version":
			pl.OSVersion, f = p.str()
		case "os.features":
			pl.OSFeatures, f = p.stringList()
		case "variant":
			pl.Variant, f = p.str()
		case "features":
			pl.Features, f = p.stringList()
		default:
			f = p.unknown(name, "architecture", "os", "os.version", "os.features", "variant", "features")
		}
		return f
	})
}

// base64 checks embedded content for form (RFC 4648 §4, padded) and drops it.
func (p *parser) base64() *fault {
	b, f := p.text()
	if f != nil {
		return f
	}
	digits := bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("=")), []byte("="))
	ok := len(b)%4 == 0
	for i := 0; ok && i < len(digits); i++ {
		c := digits[i]
		ok = alphanumericAnyCase(c) || c == '+' || c == '/'
	}
	if !ok {
		return faultf("not base64")
	}
	return nil
}
