import Platform

extension DatabaseConfiguration {
    /// Refuses what makes no sense, instead of guessing what was meant.
    ///
    /// - Throws: `DatabaseError.invalidArgument` that names the property.
    func validate() throws {
        try require(poolSize >= 1, "poolSize", mustBe: "at least 1")
        try require(acquireTimeout > .zero, "acquireTimeout", mustBe: "more than 0")
        try require(connectTimeout > .zero, "connectTimeout", mustBe: "more than 0")
        try require(connectAttempts >= 1, "connectAttempts", mustBe: "at least 1")
        try require(connectBackoff >= .zero, "connectBackoff", mustBe: "at least 0")
        try require(maxLifetime > .zero, "maxLifetime", mustBe: "more than 0")
        try require(statementCacheCapacity >= 16, "statementCacheCapacity", mustBe: "at least 16")
        if let statementTimeout {
            // The server counts milliseconds in 31 bits, and takes 0 for "never".
            let milliseconds = statementTimeout.nanoseconds / 1_000_000
            try require(
                (1...UInt64(Int32.max)).contains(milliseconds),
                "statementTimeout",
                mustBe: "1 millisecond to 24 days"
            )
        }
        try require(cancellationGracePeriod >= .zero, "cancellationGracePeriod", mustBe: "at least 0")
        try require(!applicationName.utf8.contains(0), "applicationName", mustBe: "without NUL")
        try require(
            timeZone.map { !$0.isEmpty && !$0.utf8.contains(0) } ?? true,
            "timeZone",
            mustBe: "a name without NUL"
        )
        for (name, value) in sessionSettings {
            try require(!name.isEmpty && !name.utf8.contains(0), "sessionSettings", mustBe: "names without NUL")
            try require(!value.utf8.contains(0), "sessionSettings", mustBe: "values without NUL")
        }
    }

    private func require(_ isFine: Bool, _ property: String, mustBe expected: String) throws {
        guard !isFine else { return }
        throw DatabaseError(
            code: .invalidArgument,
            message: "DatabaseConfiguration.\(property) cannot be used: it must be \(expected)."
        )
    }

    /// The commands that give a session its settings, in one text; nil when it has them already.
    ///
    /// - Parameter currentZone: The time zone that the server reported.
    func sessionCommands(currentZone: String?) -> String? {
        var settings = sessionSettings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        if let statementTimeout {
            settings.append(("statement_timeout", "\(statementTimeout.nanoseconds / 1_000_000)"))
        }
        // Not a start-up parameter: libpq passes a zone on only from the environment, and pgbouncer refuses `options`.
        // It follows a change of the zone, and most servers have UTC anyway.
        if let timeZone, timeZone != currentZone, !(timeZone == "UTC" && currentZone == "Etc/UTC") {
            settings.append(("TimeZone", timeZone))
        }
        guard !settings.isEmpty else { return nil }
        // Not SET, for which a list such as that of search_path would be one name.
        let calls = settings.map { "set_config(\(Self.literal($0.name)), \(Self.literal($0.value)), false)" }
        return "SELECT " + calls.joined(separator: ", ")
    }

    /// A string of SQL that means the same whatever `standard_conforming_strings` is.
    private static func literal(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: "E'".unicodeScalars)
        for scalar in text.unicodeScalars {
            if scalar == "'" || scalar == "\\" { scalars.append(scalar) }
            scalars.append(scalar)
        }
        scalars.append("'")
        return String(scalars)
    }
}
