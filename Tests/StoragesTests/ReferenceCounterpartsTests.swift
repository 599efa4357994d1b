import Foundation
import Testing

/// The members of the reference library, from its documentation, and the table that gives each its counterpart.
@Suite struct ReferenceCounterpartsTests {
    private static let members: [(section: String, names: [String])] = [
        ("BaseStorage", ["BaseStorage", "get_name", "upload", "open", "get_size", "get_path", "delete"]),
        ("StorageFile", ["StorageFile", "name", "upload", "get_size", "get_path", "delete"]),
        ("StorageImage", ["StorageImage", "get_dimensions", "name", "upload", "get_size", "get_path", "delete"]),
        (
            "S3Storage",
            [
                "S3Storage", "endpoint_url", "aws_access_key_id", "aws_secret_access_key", "region_name", "use_ssl",
                "default_acl", "custom_domain", "querystring_auth", "get_name", "upload", "open", "get_size",
                "get_path", "delete",
            ]
        ),
    ]

    @Test("Every member of the reference library has a row in the table of counterparts")
    func everyMemberHasARow() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = package.appendingPathComponent("Sources/Storages/Storages.docc/ReferenceCounterparts.md")
        let text = try String(contentsOf: path, encoding: .utf8)
        var sections: [String: [String]] = [:]
        var current = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("## ") { current = String(line.dropFirst(3)) }
            guard line.hasPrefix("| ") || line.hasPrefix("|-") else { continue }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard cells.count >= 4, !cells[2].isEmpty else { continue }
            sections[current, default: []].append(cells[1])
        }
        for (section, names) in Self.members {
            let rows = try #require(sections[section], "no table for \(section)")
            for name in names {
                let isThere = rows.contains { row in
                    row.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.contains { $0 == name }
                }
                #expect(isThere, "\(section).\(name) has no row")
            }
        }
    }
}
