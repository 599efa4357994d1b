/// The two columns that keep the size of an image.
struct SizeColumns: Hashable, Sendable {
    let width: String
    let height: String
}
