/// The key of a prepared statement: the bytes of its SQL and the types of its parameters.
///
/// Bytes, because `==` of String takes "é" and "e´" for the same text and the server does not.
struct StatementKey: Hashable {
    var sql: String
    let oids: [UInt32]

    static func == (left: StatementKey, right: StatementKey) -> Bool {
        left.oids == right.oids && left.sql.utf8.elementsEqual(right.sql.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let wasContiguous: Void? = sql.utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if wasContiguous == nil { for byte in sql.utf8 { hasher.combine(byte) } }
        hasher.combine(oids)
    }

    /// A name made of the content (FNV-1a, 128 bits), so that behind a pooler that hands sessions around a name that
    /// exists already means the same statement.
    var statementName: String {
        let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        func mix(_ byte: UInt8) {
            hash = (hash ^ UInt128(byte)) &* prime
        }
        for byte in sql.utf8 { mix(byte) }
        mix(0)
        for oid in oids {
            for shift in stride(from: 0, to: 32, by: 8) { mix(UInt8(truncatingIfNeeded: oid >> UInt32(shift))) }
        }
        let digits = String(hash, radix: 16)
        return "sf_" + String(repeating: "0", count: 32 - digits.count) + digits
    }
}

/// The prepared statements of one session, the least recently used one first to go.
///
/// All operations O(1).
struct StatementCache {
    private struct Entry {
        var key: StatementKey
        var name: String
        var newer: Int
        var older: Int
    }

    private static let none = -1

    private let capacity: Int
    private var entries: [Entry?] = []
    private var free: [Int] = []
    private var places: [StatementKey: Int] = [:]
    private var newest = none
    private var oldest = none

    /// A number that grows whenever names go out of use, and is part of those made afterwards: none comes twice in a
    /// session.
    ///
    /// A pooler that follows the protocol does not see a DEALLOCATE, and ends the session in which a name is prepared
    /// again (08P01).
    private var generation = 1

    /// Makes the text of statements that are prepared from now on another one; nil before the first turned out to be
    /// stale.
    ///
    /// Such a pooler has one statement on the server for all that have one text, whatever their names, and that one
    /// stays stale. Random: what this session makes must not be what another made stale before.
    private var revision: UInt64?

    /// Names that the server may still know and that are not used any more: evicted, or with a plan that no longer
    /// fits.
    private(set) var obsolete: Set<String> = []

    init(capacity: Int) {
        self.capacity = max(16, capacity)
    }

    /// The name of a prepared statement, which becomes the most recently used one.
    mutating func use(_ key: StatementKey) -> String? {
        guard let place = places[key], let entry = entries[place] else { return nil }
        if place != newest {
            unlink(place)
            link(place)
        }
        return entry.name
    }

    /// Remembers a statement that the server has prepared.
    mutating func insert(_ key: StatementKey, name: String) {
        guard places[key] == nil else { return }
        let entry = Entry(key: key, name: name, newer: Self.none, older: Self.none)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            entries[place] = entry
        } else {
            place = entries.count
            entries.append(entry)
        }
        places[key] = place
        link(place)
    }

    /// Makes room for one more: when full, a sixteenth goes at once, so that the round trip to the server is shared.
    mutating func makeRoom() {
        guard places.count >= capacity else { return }
        for _ in 0..<(capacity / 16) {
            guard oldest != Self.none, let entry = entries[oldest] else { return }
            obsolete.insert(entry.name)
            drop(entry.key)
        }
        generation += 1
    }

    /// Forgets a statement whose plan became stale, or which the server does not know any more.
    mutating func forget(_ key: StatementKey, isOnServer: Bool) {
        guard let place = places[key], let entry = entries[place] else { return }
        if isOnServer { obsolete.insert(entry.name) }
        drop(key)
        generation += 1
        revision = UInt64.random(in: 1 ... .max)
    }

    /// The form in which a statement is prepared: a name that this session has not had before, made of the content; and
    /// the text.
    func form(of key: StatementKey) -> (name: String, sql: String) {
        var key = key
        // On a line of its own, because the text may end with a comment.
        if let revision { key.sql += "\n/* \(String(revision, radix: 16)) */" }
        let name = key.statementName
        return (generation == 1 ? name : "\(name)_\(generation)", key.sql)
    }

    /// The server does not know these names any more.
    mutating func deallocated(_ names: [String]) {
        obsolete.subtract(names)
    }

    /// The server has forgotten everything.
    mutating func removeAll() {
        let generation = generation
        let revision = revision
        self = StatementCache(capacity: capacity)
        self.generation = generation + 1
        self.revision = revision
    }

    private mutating func drop(_ key: StatementKey) {
        guard let place = places.removeValue(forKey: key) else { return }
        unlink(place)
        entries[place] = nil
        free.append(place)
    }

    private mutating func link(_ place: Int) {
        entries[place]?.newer = Self.none
        entries[place]?.older = newest
        if newest != Self.none { entries[newest]?.newer = place }
        newest = place
        if oldest == Self.none { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        guard let entry = entries[place] else { return }
        if entry.newer != Self.none { entries[entry.newer]?.older = entry.older } else { newest = entry.older }
        if entry.older != Self.none { entries[entry.older]?.newer = entry.newer } else { oldest = entry.newer }
    }
}
