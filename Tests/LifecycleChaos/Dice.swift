import LifecycleTestSupport
import NIOConcurrencyHelpers

/// Decisions that repeat themselves from a seed.
final class Dice: RandomNumberGenerator, Sendable {
    private let generator: NIOLockedValueBox<SplitMix64>

    init(_ seed: UInt64) {
        generator = NIOLockedValueBox(SplitMix64(state: seed))
    }

    func next() -> UInt64 {
        generator.withLockedValue { $0.next() }
    }

    func int(_ range: ClosedRange<Int>) -> Int {
        var own = self
        return Int.random(in: range, using: &own)
    }

    /// True once in so many times.
    func chance(_ times: Int) -> Bool {
        int(1...times) == 1
    }

    func pick<Element>(_ elements: [Element]) -> Element {
        elements[int(0...(elements.count - 1))]
    }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(int(range))
    }

    /// Other decisions that follow from the same seed.
    func fork() -> Dice {
        Dice(next())
    }
}

/// Deals each of its cards before any of them comes again, so that none is left out for long.
struct Deck<Card: Sendable>: Sendable {
    private let cards: [Card]
    private var left: [Card] = []

    init(_ cards: [Card]) {
        self.cards = cards
    }

    mutating func deal(_ dice: Dice) -> Card {
        if left.isEmpty {
            var dice = dice
            left = cards.shuffled(using: &dice)
        }
        return left.removeLast()
    }
}
