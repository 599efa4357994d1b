extension StorageError {
    /// The longest time that a configuration may have: 100 years, which no clock and no database cannot count.
    package static let longestTime = Duration.seconds(100 * 366 * 86_400)

    /// Refuses a value of a configuration that is out of range, instead of guessing what was meant.
    ///
    /// - Parameters:
    ///   - value: The value; `nil` stands for a default, and is always fine.
    ///   - property: The property, after the name of its type: `ReaperConfiguration.batchSize`.
    ///   - range: The values that can be used.
    ///   - expected: The range in words, such as "1 to 1000".
    ///   - storage: The label of the storage that is configured, if it is one.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration``.
    package static func check<Range: RangeExpression>(
        _ value: Range.Bound?,
        of property: String,
        in range: Range,
        expected: String,
        storage: String? = nil
    ) throws {
        guard let value, !range.contains(value) else { return }
        throw StorageError(
            .invalidConfiguration,
            "\(property) cannot be \(value). Give \(expected).",
            storage: storage
        )
    }
}
