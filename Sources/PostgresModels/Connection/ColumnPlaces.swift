/// The positions of the columns of a result, by their names.
struct ColumnPlaces: Sendable {
    private let names: [String]
    private let places: [String: Int]

    init(_ names: [String]) {
        self.names = names
        places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// The first column of a name.
    subscript(name: String) -> Int? {
        guard let place = places[name] else { return nil }
        if names[place].utf8.elementsEqual(name.utf8) { return place }
        // Names that differ in their bytes only ("é" in its two forms) are one key.
        return names.firstIndex { $0.utf8.elementsEqual(name.utf8) }
    }
}
