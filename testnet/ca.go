package testnet

// CAPEM is the certificate of the network's CA, for other software that shall
// trust it; nil without TLS.
func (nw *Network) CAPEM() []byte {
	if nw.ca == nil {
		return nil
	}
	return nw.ca.PEM()
}
