import NIOCore

/// A migration together with what it writes down.
struct MigrationPlan: Sendable {
    let migration: Migration
    let pieces: [SchemaPiece]

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
            let pieces = try await Migration.pieces(of: migration.up)
            plans.append(
                MigrationPlan(
                    migration: migration,
                    pieces: pieces,
                    checksum: checksum(of: try pieces.compactMap { try $0.written?.statement() })
                )
            )
        }
        return plans
    }

    /// The components that some migrations need, each once.
    static func components(_ plans: [MigrationPlan], _ others: [SchemaComponent]) -> [SchemaComponent] {
        var names: Set<String> = []
        let required = plans.flatMap(\.pieces).compactMap { piece in
            if case .requirement(let component) = piece { component } else { nil as SchemaComponent? }
        }
        return (others + required).filter { names.insert($0.name).inserted }
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
