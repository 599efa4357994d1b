package import NIOCore

/// Bytes that can be told from the recipe in their row: what another process finds must be all of them.
package struct SheetContents: Sendable {
    package let seed: UInt64
    package let byteCount: Int

    package init(seed: UInt64, byteCount: Int) {
        self.seed = seed
        self.byteCount = byteCount
    }

    package init?(recipe: String) {
        let parts = recipe.split(separator: ":")
        guard parts.count == 2, let seed = UInt64(parts[0]), let byteCount = Int(parts[1]) else { return nil }
        self.init(seed: seed, byteCount: byteCount)
    }

    package var recipe: String { "\(seed):\(byteCount)" }

    package var bytes: ByteBuffer {
        var generator = SplitMix64(state: seed)
        var buffer = ByteBuffer()
        buffer.reserveCapacity(byteCount + 8)
        while buffer.readableBytes < byteCount { buffer.writeInteger(generator.next()) }
        return buffer.getSlice(at: 0, length: byteCount) ?? ByteBuffer()
    }
}

/// A generator that repeats itself from a seed, which the system's does not.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    package init(state: UInt64) {
        self.state = state
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
