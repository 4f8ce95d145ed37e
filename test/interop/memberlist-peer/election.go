package main

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/hashicorp/memberlist"
)

// owners names the member whose SHA-256 of "name#address" is lowest, for each address: MetalLB's election where no advertisement prefers a node.
// The last of the words may hold several addresses.
func owners(members *memberlist.Memberlist, words []string) []string {
	elected := []string{}
	for _, address := range strings.Fields(strings.Join(words, " ")) {
		owner, least := "", []byte(nil)
		for _, node := range members.Members() {
			digest := sha256.Sum256([]byte(node.Name + "#" + address))
			if least == nil || bytes.Compare(digest[:], least) < 0 {
				owner, least = node.Name, digest[:]
			}
		}
		elected = append(elected, owner)
	}
	return elected
}

// secretKey is what MetalLB makes of the text in its Secret: the hash of nothing stands behind the text, and 32 bytes of both are the key.
func secretKey(secret string) []byte {
	return sha256.New().Sum([]byte(secret))[:32]
}
