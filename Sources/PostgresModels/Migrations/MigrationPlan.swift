import NIOCore

/// A migration together with what it writes down.
struct MigrationPlan: Sendable {
    let migration: Migration
    let statements: [Statement]

    /// FNV-1a over the statements and their values: it tells an edited migration from the applied one, no more.
    let checksum: String

    static func make(_ migrations: [Migration]) async throws -> [MigrationPlan] {
        var names: Set<String> = []
        var plans: [MigrationPlan] = []
        for migration in migrations {
            guard names.insert(migration.name).inserted else {
                throw MigrationError(
                    code: .duplicateName,
                    message: "Two migrations have the name \"\(migration.name)\".",
                    migration: migration.name
                )
            }
            let statements = try await Migration.statements(of: migration.up)
            plans.append(
                MigrationPlan(migration: migration, statements: statements, checksum: checksum(of: statements))
            )
        }
        return plans
    }

    private static func checksum(of statements: [Statement]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for statement in statements {
            statement.text.utf8.forEach(add)
            statement.parameters.bytes.readableBytesView.forEach(add)
            add(0)
        }
        return String(hash, radix: 16)
    }
}
