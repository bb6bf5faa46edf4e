// Package relay carries questions between Landkreise: a hub asks its
// neighbours, passes their sealed answers on to its own members byte for byte,
// and keeps them for the time when a neighbour is away; a member asks its hub,
// and the neighbour itself where the hub does not answer. What an answer is
// and when it is believed is in federation/neighbour.
package relay
