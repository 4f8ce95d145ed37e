/** How addresses are announced, as far as plans go. */
export type Protocol = 'bgp' | 'layer2'
