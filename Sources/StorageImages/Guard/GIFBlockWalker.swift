/// Walks over the blocks of a GIF while its bytes stream by: counts the frames and finds the trailer.
///
/// libgd returns a full-size picture for a GIF that was cut off and says nothing, so the trailer is the only sign.
/// Source: GIF 89a, section 17 ff. and appendix B (the grammar).
struct GIFBlockWalker {
    private enum State {
        case screen, block, label, descriptor, codeSize, subBlockLength, done
    }

    private var state = State.screen
    /// Bytes to pass over before the state's own bytes come.
    private var skip = 10

    /// The frames begun so far.
    private(set) var frames = 0

    /// A Boolean value that indicates whether the trailer was seen.
    var isComplete: Bool { state == .done }

    /// Looks at the next bytes.
    mutating func consume(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count {
            if skip > 0 {
                let step = min(skip, bytes.count - index)
                skip -= step
                index += step
                continue
            }
            if state == .done { return }
            take(bytes[index])
            index += 1
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .screen:
            // The packed fields of the screen; background and aspect ratio follow, then the colour table.
            skip = 2 + Self.colorTableLength(byte)
            state = .block
        case .block:
            switch byte {
            case 0x21:
                state = .label
            case 0x2C:
                frames += 1
                skip = 8
                state = .descriptor
            case 0x3B:
                state = .done
            default:
                // Decoders pass over bytes that begin no block.
                break
            }
        case .label:
            state = .subBlockLength
        case .descriptor:
            skip = Self.colorTableLength(byte)
            state = .codeSize
        case .codeSize:
            state = .subBlockLength
        case .subBlockLength:
            skip = Int(byte)
            if byte == 0 { state = .block }
        case .done:
            break
        }
    }

    private static func colorTableLength(_ packed: UInt8) -> Int {
        packed & 0x80 == 0 ? 0 : 3 << (Int(packed & 7) + 1)
    }
}
