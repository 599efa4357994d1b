// The code of the article Migrations, block by block: GuideTests compares the two.
import StoredFiles

let createReports = Migration("2026-12-01 create reports") { schema in
    try await schema.create(table: "reports") { table in
        table.identity()
        table.column("title", .text)
        table.storedFile("paper", in: "papers")
        table.storedImage("cover", in: "covers", width: "cover_width", height: "cover_height")
    }
} down: { schema in
    try await schema.drop(table: "reports")
}

let addAppendix = Migration("2026-12-02 add the appendix of reports") { schema in
    try await schema.alter(table: "reports") { table in
        table.storedFile("appendix", in: "papers")
    }
}

let trackInvoices = Migration("2026-12-03 track the files of invoices") { schema in
    try await schema.track("scan", of: "invoices", in: "scans")
    try await schema.trackImage("logo", of: "invoices", in: "logos", width: "logo_width", height: "logo_height")
}

let widenScans = Migration("2026-12-05 change the type of the scans of invoices") { schema in
    try await schema.untrack("scan", of: "invoices")
    try await schema.execute("ALTER TABLE invoices ALTER COLUMN scan TYPE text")
    try await schema.track("scan", of: "invoices", in: "scans")
}

let renamePapers = Migration("2026-12-06 rename the storage of papers") { schema in
    try await schema.renameStorage("papers", to: "documents")
}
