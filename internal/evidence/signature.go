package evidence

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"time"
)

// Signature is what a signature says, and the certificate that came with it.
type Signature struct {
	// Digest is the version that was signed, and Reference the name that the
	// signer gave it.
	Digest, Reference string
	Certificate       *Certificate
}

// Certificate is what a certificate says. Nobody has checked who issued it.
type Certificate struct {
	Subject, Issuer string
	// Identity is the address of who signed or of the job that did, and Provider
	// who had signed that person or job in.
	Identity, Provider string
	From, Until        time.Time
}

func (f *Facts) signature() *Signature {
	if f.Signature == nil {
		f.Signature = &Signature{}
	}
	return f.Signature
}

// simpleSigning is what cosign signs.
func (f *Facts) simpleSigning(content []byte) {
	var d struct {
		Critical struct {
			Identity struct {
				Reference string `json:"docker-reference"`
			} `json:"identity"`
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}
	s := f.signature()
	if json.Unmarshal(content, &d) == nil {
		s.Digest, s.Reference = text(d.Critical.Image.Digest), text(d.Critical.Identity.Reference)
	}
}

// signatureOfStatement is what newer versions of cosign sign.
func (f *Facts) signatureOfStatement(content []byte) {
	var d struct {
		Subject []struct {
			Digest digests `json:"digest"`
		} `json:"subject"`
	}
	s := f.signature()
	if json.Unmarshal(content, &d) == nil && len(d.Subject) > 0 {
		if sum := d.Subject[0].Digest["sha256"]; sum != "" {
			s.Digest = text("sha256:" + sum)
		}
	}
}

// bundle is Sigstore's.
func (f *Facts) bundle(content []byte, depth int) {
	type raw struct {
		Bytes string `json:"rawBytes"`
	}
	var d struct {
		Material struct {
			Certificate raw `json:"certificate"`
			Chain       struct {
				Certificates []raw `json:"certificates"`
			} `json:"x509CertificateChain"`
		} `json:"verificationMaterial"`
		Envelope json.RawMessage `json:"dsseEnvelope"`
		Message  struct {
			Digest struct {
				Sum string `json:"digest"`
			} `json:"messageDigest"`
		} `json:"messageSignature"`
	}
	if json.Unmarshal(content, &d) != nil {
		return
	}
	if len(d.Envelope) > 0 {
		f.document(d.Envelope, depth+1)
	}
	certificates := append([]raw{d.Material.Certificate}, d.Material.Chain.Certificates...)
	for _, c := range certificates {
		if der, ok := decode64(c.Bytes); ok && f.signature().certificate(der) {
			break
		}
	}
}

// notation is the JWS form of a signature of the Notary Project.
func (f *Facts) notation(content []byte) {
	var d struct {
		Payload string `json:"payload"`
		Header  struct {
			Chain []string `json:"x5c"`
		} `json:"header"`
	}
	if json.Unmarshal(content, &d) != nil {
		return
	}
	s := f.signature()
	if payload, ok := decode64(d.Payload); ok {
		var p struct {
			Target struct {
				Digest string `json:"digest"`
			} `json:"targetArtifact"`
		}
		if json.Unmarshal(payload, &p) == nil {
			s.Digest = text(p.Target.Digest)
		}
	}
	if len(d.Header.Chain) > 0 {
		if der, ok := decode64(d.Header.Chain[0]); ok {
			s.certificate(der)
		}
	}
}

func (s *Signature) certificatePEM(content string) {
	if len(content) > MaxDocument {
		return
	}
	if block, _ := pem.Decode([]byte(content)); block != nil {
		s.certificate(block.Bytes)
	}
}

// certificate reports whether the bytes are a certificate.
func (s *Signature) certificate(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	s.Certificate = &Certificate{
		Subject: text(c.Subject.String()), Issuer: text(c.Issuer.String()), From: c.NotBefore, Until: c.NotAfter,
		Identity: identity(c), Provider: provider(c),
	}
	return true
}

func identity(c *x509.Certificate) string {
	switch {
	case len(c.EmailAddresses) > 0:
		return text(c.EmailAddresses[0])
	case len(c.URIs) > 0:
		return text(c.URIs[0].String())
	case len(c.DNSNames) > 0:
		return text(c.DNSNames[0])
	}
	return ""
}

// provider is an extension of Fulcio's: a string in DER, or in older ones as it is.
func provider(c *x509.Certificate) string {
	fulcio := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}
	var old string
	for _, e := range c.Extensions {
		switch {
		case e.Id.Equal(append(fulcio[:8:8], 8)):
			var s string
			if _, err := asn1.UnmarshalWithParams(e.Value, &s, "utf8"); err == nil {
				return text(s)
			}
		case e.Id.Equal(append(fulcio[:8:8], 1)):
			old = text(string(e.Value))
		}
	}
	return old
}
