import NIOConcurrencyHelpers
import Storages

/// The images that the limits of a prober refused lately, so that a list of rows does not open them again and again.
///
/// A refusal that is not about the bytes cannot be written into the row, or other limits could never accept the image.
/// Bounded: the oldest entry makes room for a new one.
final class RefusalMemory: Sendable {
    private struct Key: Hashable {
        let storage: StorageIdentity
        let name: StorageName
        let prober: ObjectIdentifier
    }

    private struct Entry {
        let error: ImageError
        // Held, so that what the key says stays true: an identity passes on when its object goes.
        let file: StorageFile
        let prober: ImageProber
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The keys by age, in a ring.
        var ring: [Key] = []
        var oldest = 0
    }

    private let bound: Int
    private let state = NIOLockedValueBox(State())

    /// Creates a memory of at most `bound` refusals.
    init(bound: Int = 1024) {
        self.bound = bound
    }

    /// The number of refusals remembered.
    var count: Int { state.withLockedValue { $0.entries.count } }

    /// Returns the error with which a prober refused a file, if it did so lately.
    func refusal(of file: StorageFile, by prober: ImageProber) -> ImageError? {
        state.withLockedValue { state in
            // Nearly always there is none, and a key need not be made.
            state.entries.isEmpty ? nil : state.entries[Self.key(file, prober)]?.error
        }
    }

    /// Remembers a refusal.
    func remember(_ error: ImageError, of file: StorageFile, by prober: ImageProber) {
        let key = Self.key(file, prober)
        state.withLockedValue { state in
            guard state.entries.updateValue(Entry(error: error, file: file, prober: prober), forKey: key) == nil else {
                return
            }
            if state.ring.count < bound {
                state.ring.append(key)
            } else {
                state.entries[state.ring[state.oldest]] = nil
                state.ring[state.oldest] = key
                state.oldest = (state.oldest + 1) % bound
            }
        }
    }

    private static func key(_ file: StorageFile, _ prober: ImageProber) -> Key {
        Key(storage: StorageIdentity(file.storage), name: file.name, prober: prober.identity)
    }
}
